import { expect, test } from 'vitest';
import { engineRegistry, findEngine, nearestEngineName } from './registry.ts';

test('every name and alias belongs to one engine only', () => {
  const names = engineRegistry.flatMap((engine) => [engine.name, ...engine.aliases]);
  expect(new Set(names).size).toBe(names.length);
});

test('an engine is found by name and alias, whatever the case', () => {
  expect(findEngine('Claude-Code')?.name).toBe('claude');
  expect(findEngine(' codex ')?.name).toBe('codex');
  expect(findEngine('nothing')).toBeUndefined();
});

test.each([
  ['cluade', 'claude'],
  ['claud', 'claude'],
  ['codx', 'codex'],
  ['shel', 'shell'],
  ['claude code', 'claude'],
])('%s was probably meant to be %s', (given, expected) => {
  expect(nearestEngineName(given)).toBe(expected);
});

test('what is near nothing has no nearest name', () => {
  expect(nearestEngineName('gemini')).toBeUndefined();
  expect(nearestEngineName('')).toBeUndefined();
});
