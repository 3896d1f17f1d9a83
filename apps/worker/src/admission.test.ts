import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchMemory } from './admission.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('work is turned away under the floor and welcome again only with some room above it', () => {
  let free = 1_000;
  const told: boolean[] = [];
  const onChange = (isOpen: boolean): number => told.push(isOpen);
  const memory = watchMemory({ floorBytes: 800, free: () => free, everyMs: 10, onChange });
  expect(memory.isOpen).toBe(true);
  for (const bytes of [799, 900, 799, 1_000, 900]) {
    free = bytes;
    vi.advanceTimersByTime(10);
  }
  expect(told).toEqual([false, true]);
  memory.stop();
  free = 0;
  vi.advanceTimersByTime(100);
  expect(memory.isOpen).toBe(true);
});

test('a floor of nothing never turns work away', () => {
  const memory = watchMemory({
    floorBytes: 0,
    free: () => 0,
    onChange: () => expect.unreachable(),
  });
  vi.advanceTimersByTime(60_000);
  expect(memory.isOpen).toBe(true);
});
