/** Millionths of a dollar as a decimal string without needless zeros: `0`, `1.5`, `0.000001`. */
export function usdOf(micros: number): string {
  const whole = Math.trunc(micros / 1_000_000);
  const rest = String(micros % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(whole) : `${whole}.${rest}`;
}
