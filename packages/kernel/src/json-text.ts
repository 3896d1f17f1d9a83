/** JSON with the keys of every object sorted, so that equal documents have equal text. */
export function stableJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map((it) => stableJson(it ?? null)).join(',')}]`;
  const parts = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(parts);
  if (!isSorted(keys)) keys.sort();
  let text = '';
  for (const key of keys) {
    const part = parts[key];
    if (part === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${stableJson(part)}`;
  }
  return `{${text}}`;
}

/** Sorting makes copies, and many documents have no more than one key or are sorted already. */
function isSorted(keys: readonly string[]): boolean {
  return keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key);
}

/** Length of text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x8_00 ? 2 : code < 0x1_00_00 ? 3 : 4;
  }
  return bytes;
}
