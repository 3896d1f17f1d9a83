import { expect, test } from 'vitest';
import { createClock } from './clock.ts';

/** A process's own clocks, set by the test. */
function clocks() {
  const own = { monotonicMs: 1_000, wallMs: 50_000 };
  const clock = createClock(
    () => own.monotonicMs,
    () => own.wallMs,
  );
  const pass = (ms: number, wallMs = ms): void => {
    own.monotonicMs += ms;
    own.wallMs += wallMs;
  };
  return { clock, pass };
}

test('a reading is carried on by the time that passes here, and never goes back', () => {
  const { clock, pass } = clocks();
  expect(clock.observe(7_000)).toBe(7_000);
  pass(300);
  expect([clock.estimate(), clock.nowMs()]).toEqual([7_300, 7_300]);
  expect(clock.observe(7_100)).toBe(7_300);
  pass(50);
  expect(clock.estimate()).toBe(7_350);
});

test('a reading is good for estimates for five seconds', () => {
  const { clock, pass } = clocks();
  clock.observe(7_000);
  pass(4_999);
  expect(clock.isFresh()).toBe(true);
  pass(1);
  expect(clock.isFresh()).toBe(false);
  clock.observe(12_000);
  expect(clock.isFresh()).toBe(true);
});

test.each([3_600_000, -3_600_000])(
  'the machine slept, or its clock was set, by %d ms: the database is to be asked',
  (wallMs) => {
    const { clock, pass } = clocks();
    clock.observe(7_000);
    pass(1, wallMs);
    expect(clock.isFresh()).toBe(false);
    clock.observe(8_000);
    expect(clock.isFresh()).toBe(true);
  },
);
