import type { UsdMicros } from './rows.ts';

/** One report is never taken for more: whoever adds up many of them stays within exact numbers. */
const usdMax = 1_000_000;

/** Millionths of a decimal string of dollars, at most a million; 0 when there is none or it is no number. */
export function usdMicrosOf(usd: string | undefined): UsdMicros {
  const value = Number(usd ?? 0);
  return value > 0 ? Math.round(Math.min(value, usdMax) * 1_000_000) : 0;
}

/** Millionths of a dollar as a decimal string without needless zeros: `0`, `1.5`, `0.000001`. */
export function decimalUsd(micros: UsdMicros): string {
  const whole = Math.trunc(micros / 1_000_000);
  const rest = String(micros % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(whole) : `${whole}.${rest}`;
}
