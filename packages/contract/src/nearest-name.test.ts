import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

const ENGINES = ['claude', 'codex', 'shell'];

test.each([
  ['cluade', 'claude'],
  ['Claud', 'claude'],
  ['codx', 'codex'],
  ['shel', 'shell'],
])('%s was probably meant to be %s', (wrong, meant) => {
  expect(nearestName(wrong, ENGINES)).toBe(meant);
});

test.each(['gemini', '', 'sell it'])('%j is near nothing', (wrong) => {
  expect(nearestName(wrong, ENGINES)).toBeUndefined();
});

test('the nearest of several wins', () => {
  expect(nearestName('goals', ['goal', 'gold', 'labels'])).toBe('goal');
});
