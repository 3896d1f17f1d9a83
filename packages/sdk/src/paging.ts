/** A page of a list; `next_cursor` is null on the last one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/**
 * Items of all pages, read as they are asked for, at most `itemsMax` (default: no bound).
 * `read` fetches the page behind a cursor.
 */
export async function* eachItem<T>(
  read: (cursor: string | undefined) => Promise<Page<T>>,
  itemsMax = Number.POSITIVE_INFINITY,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  let left = itemsMax;
  do {
    const page = await read(cursor);
    for (const item of page.items) {
      if (left <= 0) return;
      left -= 1;
      yield item;
    }
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && left > 0);
}
