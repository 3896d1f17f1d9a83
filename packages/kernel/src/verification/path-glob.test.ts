import { describe, expect, test } from 'vitest';
import { matchesPath } from './path-glob.ts';

describe('a path or glob', () => {
  test.each<[string, string, boolean]>([
    ['src', 'src/a.ts', true],
    ['src/', 'src/deep/a.ts', true],
    ['./src', 'src/a.ts', true],
    ['src', 'srcs/a.ts', false],
    ['src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/deep/a.ts', false],
    ['src/**', 'src/deep/a.ts', true],
    ['**/a.ts', 'a.ts', true],
    ['**/a.ts', 'src/deep/a.ts', true],
    ['src/**/a.ts', 'src/a.ts', true],
    ['src/?.ts', 'src/a.ts', true],
    ['src/?.ts', 'src/ab.ts', false],
    ['a.ts', 'abts', false],
    ['(a)+[b]', '(a)+[b]', true],
    ['.', 'anything', true],
    ['/', 'anything', true],
  ])('%s means %s: %s', (pattern, file, expected) => {
    expect(matchesPath(pattern, file)).toBe(expected);
  });
});
