const dayMs = 86_400_000;

/** ISO 8601 in UTC with milliseconds of epoch milliseconds; years 0 to 9999. */
export function isoOf(ms: number): string {
  const day = Math.floor(ms / dayMs);
  const rest = ms - day * dayMs;
  const { year, month, date } = civilOf(day);
  const time = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60]
    .concat(Math.floor(rest / 1_000) % 60)
    .map((part) => pad(part, 2))
    .join(':');
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(date, 2)}T${time}.${pad(Math.floor(rest) % 1_000, 3)}Z`;
}

/** Epoch milliseconds of an ISO 8601 instant in UTC, or null when it is not one. */
export function msOfIso(text: string): number | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?Z$/.exec(text);
  if (parts === null) return null;
  const [year, month, date, hour, minute, second] = parts.slice(1, 7).map((it) => Number(it ?? 0));
  const fraction = Math.floor(Number(`0.${parts[7] ?? '0'}`) * 1_000);
  const days = daysOf(year ?? 0, month ?? 1, date ?? 1);
  return (
    days * dayMs +
    (hour ?? 0) * 3_600_000 +
    (minute ?? 0) * 60_000 +
    (second ?? 0) * 1_000 +
    fraction
  );
}

// Proleptic Gregorian calendar in eras of 400 years that begin on 1 March, so that leap days are last
// (Howard Hinnant, "chrono-compatible low-level date algorithms").

function civilOf(day: number): { year: number; month: number; date: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const date = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, date };
}

function daysOf(year: number, month: number, date: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + date - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
