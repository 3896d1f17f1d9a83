import type { BudgetRow, LimitRow, ParkingRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { pickRow } from '../tables/pick-row.ts';

/** A task that counts against a limit. */
export interface HolderRead {
  readonly limitId: string;
  readonly taskId: string;
  readonly taskKey: string;
  readonly runId: string;
  readonly attemptId: string;
}

/** A limit, how many count against it, and the first of them. */
export interface LimitRead {
  readonly limit: LimitRow;
  readonly running: number;
  readonly holders: readonly HolderRead[];
}

type CountedLimit = LimitRow & Pick<LimitRead, 'running'>;
const LIMITS_MAX = 1_000;
const HOLDERS_MAX = 10;

export const limitReads = statement({
  name: 'limitReads',
  args: (project: string, key: string | undefined) => [project, key ?? null, LIMITS_MAX],
  row: z.strictObject({
    ...TABLES.limits.shape,
    running: z.int(),
  }) as unknown as z.ZodType<CountedLimit>,
  sql: `
    select ${TABLES.limits.select('l')},
      (select count(*)
         from limit_slots s
        where s.limit_id = l.id
          and s.attempt_id <> '') as running
      from limits l
     where l.project_id = $1
       and ($2::text is null or l.key = $2)
     order by l.key
     limit $3`,
});

export const limitHolders = statement({
  name: 'limitHolders',
  args: (limits: readonly string[]) => [limits, HOLDERS_MAX],
  row: z.strictObject({
    limitId: z.string(),
    taskId: z.string(),
    taskKey: z.string(),
    runId: z.string(),
    attemptId: z.string(),
  }),
  sql: `
    select held.limit_id as "limitId", held.task_id as "taskId", t.key as "taskKey",
           t.run_id as "runId", held.attempt_id as "attemptId"
      from unnest($1::text[]) as wanted (limit_id)
     cross join lateral
           (select s.limit_id, s.no, s.task_id, s.attempt_id
              from limit_slots s
             where s.limit_id = wanted.limit_id
               and s.attempt_id <> ''
             order by s.no
             limit $2) as held
      join tasks t
        on t.id = held.task_id
     order by held.limit_id, held.no`,
});

/** The limits of a project by key, or that of one key. */
export async function listLimits(
  queries: Asker,
  project: string,
  key?: string,
): Promise<LimitRead[]> {
  const rows = await queries.query(limitReads, project, key);
  const holders =
    rows.length === 0
      ? []
      : await queries.query(
          limitHolders,
          rows.map((row) => row.id),
        );
  return rows.map((row) => ({
    limit: pickRow(TABLES.limits, { ...row }),
    running: row.running,
    holders: holders.filter((it) => it.limitId === row.id),
  }));
}

const PARKINGS_MAX = 1_000;

export const parkingReads = statement({
  name: 'parkingReads',
  args: (project: string) => [project, PARKINGS_MAX],
  row: TABLES.parkings.row,
  sql: `
    select ${TABLES.parkings.select('p')}
      from parkings p
     where p.project_id = $1
       and p.until > statement_timestamp()
     order by p.until, p.id
     limit $2`,
});

/** Engines of a project that a provider refuses now, the first to open first. */
export function listParkings(queries: Asker, project: string): Promise<ParkingRow[]> {
  return queries.query(parkingReads, project);
}

const BUDGETS_MAX = 1_000;

export const budgetReads = statement({
  name: 'budgetReads',
  args: (project: string, run: string | undefined) => [project, run ?? null, BUDGETS_MAX],
  row: TABLES.budgets.row,
  sql: `
    select ${TABLES.budgets.select('b')}
      from budgets b
     where b.project_id = $1
       and (b.run_id is null or $2::text is null or b.run_id = $2)
     order by b.scope, b.id
     limit $3`,
});

/** Budgets of a project: its own, and those of one run or of all, and of their tasks. */
export function listBudgets(
  queries: Asker,
  project: string,
  run: string | undefined,
): Promise<BudgetRow[]> {
  return queries.query(budgetReads, project, run);
}
