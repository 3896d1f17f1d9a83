import { AppError } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { byCount, readPage } from './paging.ts';

const all = Array.from({ length: 7 }, (_, index) => index);

async function pageOf(cursor: string | undefined, filter: readonly unknown[], limit = 3) {
  return readPage(
    { limit, cursor, filter },
    byCount,
    async (count, after) => all.slice(after?.before ?? 0).slice(0, count),
    (item) => ({ before: item + 1 }),
  );
}

describe('pages', () => {
  test('following the cursors gives each item once, and the last page says so', async () => {
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await pageOf(cursor, ['a']);
      seen.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(all);
  });

  test('a page that ends with the list has no next one', async () => {
    expect((await pageOf(undefined, [], 7)).next_cursor).toBeNull();
  });

  test.each(['nonsense', '', '%', Buffer.from('[1,2]').toString('base64url')])(
    'the cursor %j is refused',
    async (cursor) => {
      await expect(pageOf(cursor, ['a'])).rejects.toMatchObject({ code: 'bad_cursor' });
    },
  );

  test('a cursor of another filter is refused', async () => {
    const { next_cursor: cursor } = await pageOf(undefined, ['project a']);
    await expect(pageOf(cursor ?? '', ['project b'])).rejects.toThrow(AppError);
  });
});
