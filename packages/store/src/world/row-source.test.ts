import { describe, expect, test } from 'vitest';
import { rowParameters, rowSource } from './row-source.ts';

describe('rows as parameters', () => {
  test('what is the same in all rows is given once', () => {
    const given = rowParameters([
      ['a', 'b'],
      [7, 7],
      [null, null],
      ['x', 'y'],
    ]);
    expect(given).toEqual([['a', 'b'], [], [], ['x', 'y'], 7, null, null]);
  });

  test('a column that begins with null and goes on with something is not the same', () => {
    expect(
      rowParameters([
        ['a', 'b'],
        [null, 1],
      ]),
    ).toEqual([['a', 'b'], [null, 1], null]);
    expect(
      rowParameters([
        ['a', 'b'],
        [1, null],
      ]),
    ).toEqual([['a', 'b'], [1, null], null]);
  });

  test('the first column says how many rows there are, whatever it holds', () => {
    expect(
      rowParameters([
        ['a', 'a'],
        [1, 1],
      ]),
    ).toEqual([['a', 'a'], [], 1]);
  });

  test('documents travel as text and become what they are', () => {
    const { values, parameterCount } = rowSource([
      { name: 'id', arrayOf: 'text', type: 'text' },
      { name: 'spec', arrayOf: 'text', type: 'json' },
    ]);
    expect(values).toEqual(['u.id', 'coalesce(u.spec::json, $3::json)']);
    expect(parameterCount).toBe(3);
  });
});
