import { describe, expect, test } from 'vitest';
import { stableJson, utf8Bytes } from './json-text.ts';

describe('stable text of documents', () => {
  test('the order of keys does not matter, that of items does', () => {
    expect(stableJson({ b: 1, a: [{ d: 1, c: null }] })).toBe('{"a":[{"c":null,"d":1}],"b":1}');
    expect(stableJson([1, 2])).not.toBe(stableJson([2, 1]));
  });

  test('what is not there leaves no trace', () => {
    expect(stableJson({ a: undefined, b: 'x' })).toBe(stableJson({ b: 'x' }));
  });

  test.each([
    ['plain', 5],
    ['é', 2],
    ['€', 3],
    ['😀', 4],
    ['\ud800', 3],
  ])('%j has %d bytes', (text, bytes) => {
    expect(utf8Bytes(text)).toBe(bytes);
  });
});
