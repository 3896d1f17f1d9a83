import { toTimestamptz } from '../parameters.ts';

/** A place in a list ordered by an instant and an id. */
export interface PageKey {
  readonly atMs: number;
  readonly id: string;
}

/** Values for `(at, id) < ($a, $b)`: behind a place in a list that is newest first. */
export function beforeKey(after: PageKey | undefined): readonly [at: string, id: string] {
  return [toTimestamptz(after?.atMs ?? Infinity), after?.id ?? ''];
}

/** Values for `(at, id) > ($a, $b)`: behind a place in a list that is oldest first. */
export function afterKey(after: PageKey | undefined): readonly [at: string, id: string] {
  return [toTimestamptz(after?.atMs ?? -Infinity), after?.id ?? ''];
}

/** `key` or `key=value` as the two values of a filter; null where it does not filter. */
export function labelFilter(label: string | undefined): readonly [string | null, string | null] {
  if (label === undefined) return [null, null];
  const at = label.indexOf('=');
  return at < 0 ? [label, null] : [label.slice(0, at), label.slice(at + 1)];
}

/** A pattern for `ilike` that finds text anywhere. */
export function containsFilter(text: string | undefined): string | null {
  return text === undefined ? null : `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
