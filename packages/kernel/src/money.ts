import type { UsdMicros } from './rows.ts';

/** Millionths of a decimal string of dollars; 0 when there is none or it is not a number. */
export function usdMicrosOf(usd: string | undefined): UsdMicros {
  const value = Number(usd ?? 0);
  return Number.isFinite(value) && value > 0 ? Math.round(value * 1_000_000) : 0;
}
