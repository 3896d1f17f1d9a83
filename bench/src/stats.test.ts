import { expect, test } from 'vitest';
import { median, summarize } from './stats.ts';

test('percentiles are samples by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(summarize(hundred)).toEqual({ count: 100, p50: 50, p95: 95, p99: 99, max: 100 });
});

test('the median of three runs is the middle one', () => {
  expect(median([9, 1, 5])).toBe(5);
});

test('nothing measured is an error, not a zero', () => {
  expect(() => summarize([])).toThrow(RangeError);
});
