import type { Json } from '@baton/contract';

/** A JSON object from somebody else's program: any field may be missing or of another type. */
export type LooseObject = { readonly [key: string]: Json | undefined };

/** `value` if it is an object, else an empty one. */
export function objectOf(value: unknown): LooseObject {
  return isObject(value) ? value : {};
}

export function isObject(value: unknown): value is LooseObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `value` if it is an array, else an empty one. */
export function arrayOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

/** `value` if it is a string, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** `value` if it is a finite number, else undefined. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** `value` as a count: a whole number of at least 0; anything else is 0. */
export function countOf(value: unknown): number {
  const number = numberOf(value) ?? 0;
  return number > 0 && number <= Number.MAX_SAFE_INTEGER ? Math.floor(number) : 0;
}

/** The object on a line of JSON; undefined when the line is anything else. */
export function parseObject(line: string): LooseObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Instant as ISO 8601 from seconds since 1970; undefined when it is none. */
export function instantOfSeconds(seconds: unknown): string | undefined {
  const number = numberOf(seconds);
  if (number === undefined || number <= 0 || number > 8_640_000_000_000) return undefined;
  return new Date(number * 1_000).toISOString();
}
