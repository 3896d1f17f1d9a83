import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';

const MARKED_MAX = 10_000;

export const markedForPurge = statement({
  name: 'markedForPurge',
  args: () => [MARKED_MAX],
  row: z.strictObject({ id: z.string() }),
  sql: `
    select id
      from runs
     where purge_at is not null
     union all
    select id
      from tasks
     where purge_at is not null
     limit $1`,
});

/** Ids of runs and tasks that are to be purged and are not gone yet, at most 10,000. */
export async function listMarkedForPurge(queries: Asker): Promise<string[]> {
  return (await queries.query(markedForPurge)).map(({ id }) => id);
}
