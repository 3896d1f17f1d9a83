import { expect, test } from 'vitest';
import { engineRegistry, findEngine } from './registry.ts';

test('every name and alias belongs to one engine only', () => {
  const names = engineRegistry.flatMap((engine) => [engine.name, ...engine.aliases]);
  expect(new Set(names).size).toBe(names.length);
});

test('an engine is found by name and alias, whatever the case', () => {
  expect(findEngine('Claude-Code')?.name).toBe('claude');
  expect(findEngine(' codex ')?.name).toBe('codex');
  expect(findEngine('nothing')).toBeUndefined();
});
