import type { Json } from '@baton/contract';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { toJsonbText } from '../tables/column.ts';

export const keepMeta = statement({
  name: 'keepMeta',
  args: (key: string, value: Json) => [key, toJsonbText(value)],
  row: z.strictObject({ value: z.custom<Json>() }),
  sql: `
    insert into meta as m (key, value)
    values ($1, $2::jsonb)
        on conflict (key) do update
       set value = m.value
    returning value`,
});

/**
 * The value of this database under a key: the one stored first, by whichever replica. For facts that
 * are chosen once, such as the name of the instance; never for secrets.
 */
export async function ensureMeta(queries: Asker, key: string, value: Json): Promise<Json> {
  const [row] = await queries.query(keepMeta, key, value);
  if (row === undefined) throw new Error(`meta ${key} was not stored`);
  return row.value;
}
