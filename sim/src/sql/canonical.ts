/** One text for a value as JSON has it, whatever the order of its properties. Maps and sets are lists. */
export function canonical(value: unknown): string {
  return JSON.stringify(plain(value)) ?? 'undefined';
}

/** What differs between two values, in words; null when nothing does. The order in maps is nothing. */
export function firstDifference(wanted: unknown, found: unknown): string | null {
  const [a, b] = [canonical(wanted), canonical(found)];
  if (a === b) return null;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const from = Math.max(0, at - 120);
  return `in memory ...${a.slice(from, at + 120)}, in SQL ...${b.slice(from, at + 120)}`;
}

function plain(value: unknown): unknown {
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [key, plain(item)] as [string, unknown]);
    return entries.sort(([a], [b]) => (a < b ? -1 : 1));
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, plain(item)]),
  );
}
