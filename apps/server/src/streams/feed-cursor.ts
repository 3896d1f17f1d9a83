import { AppError } from '@baton/contract';

/** Where a reader of the feed wants to go on. */
export type FeedStart =
  | { readonly kind: 'pos'; readonly pos: number }
  | { readonly kind: 'now' }
  /**
   * The cursor is of another history, beyond the end of this one, or older than what is kept. `proof`:
   * of which history it is, where this database has never given it.
   */
  | { readonly kind: 'lost'; readonly proof?: number };

/**
 * Reads `<incarnation>.<pos>`, `now`, or nothing (from the beginning).
 * @throws {AppError} bad_cursor when it is none of these
 */
export function feedStart(
  cursor: string | undefined,
  incarnation: number,
  head: number,
  floor = 1,
): FeedStart {
  if (cursor === undefined || cursor === '') return { kind: 'pos', pos: 0 };
  if (cursor === 'now') return { kind: 'now' };
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor);
  if (match === null) {
    throw new AppError('bad_cursor', 'A place in the feed is written <incarnation>.<pos>, or now.');
  }
  const pos = Number(match[2]);
  const of = Number(match[1]);
  if (of > incarnation || (of === incarnation && pos > head)) return { kind: 'lost', proof: of };
  // What stood behind an older cursor of this history may be gone.
  return of === incarnation && pos >= floor - 1 ? { kind: 'pos', pos } : { kind: 'lost' };
}
