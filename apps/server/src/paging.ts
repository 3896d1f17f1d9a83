import { createHash } from 'node:crypto';
import { AppError, LIMITS } from '@baton/contract';
import { z } from 'zod';
import { parseJson } from './edge/json-guard.ts';

/** One page of a list, and where the next begins. */
export interface Page<T> {
  readonly items: T[];
  readonly next_cursor: string | null;
}

/** What is asked for; `filter` is everything that decides which items there are. */
export interface PageRequest {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly filter: readonly unknown[];
}

/** Instants that every part of us can write down: the years 1970 to 9999. */
export const instantMs = z.number().min(0).max(253_402_300_799_999);

/** Keys of a list ordered by an instant and an id. */
export const byInstant = z.strictObject({ atMs: instantMs, id: z.string().max(200) });

/** Keys of a list ordered by a name. */
export const byName = z.strictObject({ name: z.string().max(200) });

/** Keys of a list whose order is computed: how many came before. */
export const byCount = z.strictObject({ before: z.int().nonnegative() });

/**
 * Reads one page. A cursor is opaque to callers and good for the same filter only; `load` is given one
 * more than the limit, so that the last page is known as such.
 * @throws {AppError} bad_cursor
 */
export async function readPage<T, K>(
  request: PageRequest,
  key: z.ZodType<K>,
  load: (limit: number, after: K | undefined) => Promise<readonly T[]>,
  keyOf: (item: T, place: number) => K,
): Promise<Page<T>> {
  const limit = request.limit ?? LIMITS.pageItemsDefault;
  const filterHash = hashOf(request.filter);
  const after =
    request.cursor === undefined ? undefined : decodeCursor(request.cursor, key, filterHash);
  const rows = await load(limit + 1, after);
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    items,
    next_cursor: more ? encodeCursor(keyOf(last, items.length - 1), filterHash) : null,
  };
}

/** The page with each item as clients see it. */
export function mapPage<T, V>(page: Page<T>, view: (item: T) => V): Page<V> {
  return { items: page.items.map(view), next_cursor: page.next_cursor };
}

/** A whole list, where there is no more than one page of it. */
export function wholePage<V>(items: readonly V[]): Page<V> {
  return { items: [...items], next_cursor: null };
}

/** A cursor as callers get it. */
export function encodeCursor(key: unknown, filterHash: string): string {
  return Buffer.from(JSON.stringify([filterHash, key])).toString('base64url');
}

/** @throws {AppError} bad_cursor when it is not one of this list */
export function decodeCursor<K>(cursor: string, key: z.ZodType<K>, filterHash: string): K {
  const shape = z.tuple([z.literal(filterHash), key]);
  let value: unknown;
  try {
    // Callers may have written it themselves: it is no safer than a body.
    value = parseJson(Buffer.from(cursor, 'base64url'), false);
  } catch {
    value = undefined;
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data[1];
  throw new AppError(
    'bad_cursor',
    'This cursor belongs to another list or filter; begin again without one.',
  );
}

/** Names what a cursor is good for. */
export function hashOf(filter: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(filter)).digest('base64url').slice(0, 12);
}
