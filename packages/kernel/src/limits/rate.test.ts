import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayStart, nextStartMs, tatAfterStart } from './rate.ts';

/** Starts at those of some instants at which the rate allows one. */
function startsOf(ratePerMinute: number, burst: number, instants: readonly number[]): number[] {
  let rate = { ratePerMinute, burst, tat: 0 };
  return instants.filter((atMs) => {
    if (!mayStart(rate, atMs)) return false;
    rate = { ...rate, tat: tatAfterStart(rate, atMs) };
    return true;
  });
}

describe('a rate', () => {
  test('lets a burst start at once, then one an interval', () => {
    const everySecond = Array.from({ length: 31 }, (_, at) => 1_000_000 + at * 1_000);
    const starts = startsOf(6, 2, [1_000_000, 1_000_000, ...everySecond]);
    expect(starts.map((it) => it - 1_000_000)).toEqual([0, 0, 10_000, 20_000, 30_000]);
  });

  test('says when it allows the next start', () => {
    const rate = {
      ratePerMinute: 60,
      burst: 1,
      tat: tatAfterStart({ ratePerMinute: 60, burst: 1, tat: 0 }, 5_000),
    };
    expect(nextStartMs(rate)).toBe(6_000);
    expect([mayStart(rate, 5_999), mayStart(rate, 6_000)]).toEqual([false, true]);
    expect(nextStartMs({ ratePerMinute: null, burst: 1, tat: 9 })).toBe(0);
  });

  test('in no span of time are there more starts than burst and rate allow', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 10 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 }),
        (rate, burst, gaps) => {
          let atMs = 1_000_000;
          const starts = startsOf(
            rate,
            burst,
            gaps.map((gap) => (atMs += gap)),
          );
          starts.forEach((from, first) => {
            starts.slice(first).forEach((to, count) => {
              const allowed = burst + ((to - from) * rate) / 60_000;
              expect(count + 1).toBeLessThanOrEqual(allowed + 1e-6);
            });
          });
        },
      ),
    );
  });
});
