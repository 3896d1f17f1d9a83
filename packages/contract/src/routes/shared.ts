import { z } from 'zod';
import { anyId } from '../ids.ts';
import { LIMITS } from '../limits.ts';

/** `{id}` in a path: an id, a client-chosen id, or a prefix that fits only one. */
export const byId = z.strictObject({ id: anyId });

/** A page of a list: `limit` items, and the cursor of the next page. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(LIMITS.pageItemsMax).optional(),
  cursor: z.string().max(500).optional(),
};

/** A page of `item`s; `next_cursor` is null on the last one. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}

/** Optional reason that a person gives; stored on the event. */
export const reasonBody = z.strictObject({
  reason: z.string().max(LIMITS.reasonCharsMax).optional(),
});

/** A list in a query: `a,b` or repeated. */
export const commaList = z
  .union([z.string(), z.array(z.string())])
  .transform((value) =>
    (Array.isArray(value) ? value : value.split(',')).filter((it) => it !== ''),
  );

/** `true` or `1` in a query. */
export const flag = z
  .enum(['true', 'false', '1', '0'])
  .transform((it) => it === 'true' || it === '1');
