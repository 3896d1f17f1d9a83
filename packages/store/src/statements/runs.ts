import type { TaskStatus } from '@baton/contract';
import type { RunRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { pickRow } from '../tables/pick-row.ts';
import { beforeKey, containsFilter, labelFilter, type PageKey } from './filter.ts';

/** A run and how many of its tasks are in each status; statuses with none are left out. */
export interface RunRead {
  readonly run: RunRow;
  readonly counts: Readonly<Partial<Record<TaskStatus, number>>>;
}

/** Which runs; what is absent does not filter. `label` is `key` or `key=value`. */
export interface RunFilter {
  readonly status?: readonly string[] | undefined;
  readonly label?: string | undefined;
  readonly lineage?: string | undefined;
  readonly text?: string | undefined;
}

type FlatRun = RunRow & { readonly counts: RunRead['counts'] };
const row = z.strictObject({
  ...TABLES.runs.shape,
  counts: z.record(z.string(), z.int()),
}) as unknown as z.ZodType<FlatRun>;

const COLUMNS = `${TABLES.runs.select('r')},
      (select coalesce(json_object_agg(per.status, per.count), '{}')
         from (select t.status, count(*) as count
                 from tasks t
                where t.run_id = r.id
                  and t.deleted_at is null
                group by t.status) as per) as counts`;

export const runById = statement({
  name: 'runById',
  args: (project: string, id: string) => [project, id],
  row,
  sql: `
    select ${COLUMNS}
      from runs r
     where r.id = $2
       and r.project_id = $1
       and r.deleted_at is null`,
});

export const runsPage = statement({
  name: 'runsPage',
  args: (project: string, filter: RunFilter, limit: number, after: PageKey | undefined) => [
    project,
    filter.status ?? null,
    ...labelFilter(filter.label),
    containsFilter(filter.text),
    ...beforeKey(after),
    limit,
    filter.lineage ?? null,
  ],
  row,
  sql: `
    select ${COLUMNS}
      from runs r
     where r.project_id = $1
       and r.deleted_at is null
       and (r.created_at, r.id) < ($6::timestamptz, $7)
       and ($2::text[] is null or r.status = any($2))
       and ($3::text is null or r.labels ? $3)
       and ($4::text is null or r.labels ->> $3 = $4)
       and ($5::text is null or r.goal ilike $5 or r.id like $5)
       and ($9::text is null or r.lineage_root = $9)
     order by r.created_at desc, r.id desc
     limit $8`,
});

/** A run of a project. */
export async function findRun(
  queries: Asker,
  project: string,
  id: string,
): Promise<RunRead | undefined> {
  const [flat] = await queries.query(runById, project, id);
  return flat === undefined ? undefined : toRead(flat);
}

/** Runs of a project, newest first, behind `after`. */
export async function listRuns(
  queries: Asker,
  project: string,
  filter: RunFilter,
  limit: number,
  after: PageKey | undefined,
): Promise<RunRead[]> {
  const rows = await queries.query(runsPage, project, filter, limit, after);
  return rows.map(toRead);
}

function toRead(flat: FlatRun): RunRead {
  return { run: pickRow(TABLES.runs, { ...flat }), counts: flat.counts };
}
