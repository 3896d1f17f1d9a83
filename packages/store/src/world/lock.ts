import type { ReadyRow, TableName } from '@baton/kernel';
import { z } from 'zod';
import type { Queries } from '../db.ts';
import { bind, statement, type Bound, type Statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { eachTable } from '../tables/each-table.ts';

type IdsStatement = Statement<[ids: readonly string[]], { id: string }>;

/** One statement a table, waiting for the rows named in the order of their keys. */
export const LOCK_STATEMENTS: { readonly [T in TableName]: IdsStatement } = eachTable(
  (table): IdsStatement => {
    const key = table.key.name;
    return statement({
      name: `lock_${table.sqlName}`,
      args: (ids: readonly string[]) => [ids],
      row: z.strictObject({ id: z.string() }),
      sql: `
    select ${key} as id
      from ${table.sqlName}
     where ${key} = any($1::text[])
     order by ${key}
       for no key update`,
    });
  },
);

/**
 * Locks rows until the transaction ends, ascending by key; those that do not exist are left out of the
 * answer. Call it table by table in the order workers, runs, tasks, attempts, checkpoints, and load
 * the rows with a later statement: this one may have seen an older state.
 */
export function bindLock(table: TableName, ids: readonly string[]): Bound<{ id: string }> {
  return bind(LOCK_STATEMENTS[table], ids);
}

/** The same, sent now. Resolves with the ids that exist, ascending. */
export async function lockRows(
  queries: Queries,
  table: TableName,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await queries.query(LOCK_STATEMENTS[table], ids);
  return rows.map((row) => row.id);
}

/**
 * Heads of the queues of some needs, at most `limitPerNeeds` each, best first, locked together with
 * their runs. What another transaction holds is skipped, so this never waits.
 */
export const lockClaimCandidates = statement({
  name: 'lockClaimCandidates',
  args: (projectId: string, needsIds: readonly string[], limitPerNeeds: number) => [
    projectId,
    needsIds,
    limitPerNeeds,
  ],
  row: TABLES.ready.row as unknown as z.ZodType<ReadyRow>,
  sql: `
    select ${TABLES.ready.select('head')}
      from unnest($2::text[]) as wanted (needs_id)
     cross join lateral
           (select ${TABLES.ready.columns.map((column) => `r.${column.name}`).join(', ')}
              from ready r
              join runs u
                on u.id = r.run_id
             where r.project_id = $1
               and r.needs_id = wanted.needs_id
               and r.held is null
             order by r.priority, r.pass, r.seq
             limit $3
               for no key update of r, u skip locked) as head
     order by head.priority, head.pass, head.seq`,
});
