import type { LimitRow } from '../rows.ts';

type Rate = Pick<LimitRow, 'ratePerMinute' | 'burst' | 'tat'>;

/**
 * When a rate allows the next start, epoch milliseconds; at once where there is no rate. GCRA: starts
 * come `60 / rate` seconds apart, and after a pause at most `burst` of them at once, so that no span of
 * time holds more than `burst` + its length / interval of them.
 */
export function nextStartMs(rate: Rate): number {
  if (rate.ratePerMinute === null) return 0;
  return rate.tat - (rate.burst - 1) * intervalMs(rate.ratePerMinute);
}

/** Whether a rate allows a start now. */
export function mayStart(rate: Rate, nowMs: number): boolean {
  return nextStartMs(rate) <= nowMs;
}

/** The theoretical arrival time after a start. */
export function tatAfterStart(rate: Rate, nowMs: number): number {
  if (rate.ratePerMinute === null) return rate.tat;
  return Math.max(rate.tat, nowMs) + intervalMs(rate.ratePerMinute);
}

function intervalMs(ratePerMinute: number): number {
  return 60_000 / ratePerMinute;
}
