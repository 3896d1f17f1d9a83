import type { CheckpointStatus } from '@baton/contract';
import type { CheckpointRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { pickRow } from '../tables/pick-row.ts';

/** A checkpoint, and how many unfinished tasks wait behind it, directly or not; 0 once it is closed. */
export interface CheckpointRead {
  readonly checkpoint: CheckpointRow;
  readonly taskKey: string | null;
  readonly holdsUp: number;
}

/** Which checkpoints of a project. */
export interface CheckpointFilter {
  readonly status: CheckpointStatus;
  readonly run?: string | undefined;
}

type FlatCheckpoint = CheckpointRow & Pick<CheckpointRead, 'taskKey' | 'holdsUp'>;
const row = z.strictObject({
  ...TABLES.checkpoints.shape,
  taskKey: z.string().nullable(),
  holdsUp: z.int(),
}) as unknown as z.ZodType<FlatCheckpoint>;

/** Checkpoints that `chosen` selects as `id`, with what waits behind each. */
function withHolds(chosen: string, orderAndLimit: string): string {
  return `
    with recursive chosen as (${chosen}),
    behind (checkpoint_id, task_id) as (
      select c.id, d.downstream_id
        from chosen
        join checkpoints c
          on c.id = chosen.id
         and c.status = 'open'
        join dependencies d
          on d.upstream_id = c.task_id
         and d.type <> 'related'
       union
      select b.checkpoint_id, d.downstream_id
        from behind b
        join dependencies d
          on d.upstream_id = b.task_id
         and d.type <> 'related'),
    holds as (
      select b.checkpoint_id, count(*) as tasks
        from behind b
        join tasks t
          on t.id = b.task_id
         and t.ended_at is null
       group by b.checkpoint_id)
    select ${TABLES.checkpoints.select('c')},
      t.key as "taskKey", coalesce(h.tasks, 0) as "holdsUp"
      from chosen
      join checkpoints c
        on c.id = chosen.id
      left join tasks t
        on t.id = c.task_id
      left join holds h
        on h.checkpoint_id = c.id
     ${orderAndLimit}`;
}

export const checkpointById = statement({
  name: 'checkpointById',
  args: (project: string, id: string) => [project, id],
  row,
  sql: withHolds(
    `
      select id
        from checkpoints
       where id = $2
         and project_id = $1`,
    'limit 1',
  ),
});

/** Of an inbox at most this many, the oldest, are compared by what they hold up. */
const RANKED_MAX = 1_000;

export const checkpointsPage = statement({
  name: 'checkpointsPage',
  args: (project: string, { status, run }: CheckpointFilter, limit: number, offset: number) => [
    project,
    status,
    run ?? null,
    limit,
    offset,
    offset + RANKED_MAX,
  ],
  row,
  sql: withHolds(
    `
      select id
        from checkpoints
       where project_id = $1
         and status = $2
         and ($3::text is null or run_id = $3)
         and not exists (select 1
                           from runs r
                          where r.id = run_id
                            and r.deleted_at is not null)
       order by case when $2 = 'open' then opened_at end, opened_at desc, id
       limit $6`,
    `order by coalesce(h.tasks, 0) desc, case when $2 = 'open' then c.opened_at end,
           c.opened_at desc, c.id
     limit $4
    offset $5`,
  ),
});

const OF_RUN_MAX = 10_000;

export const checkpointsOfRunStatement = statement({
  name: 'checkpointsOfRun',
  args: (run: string) => [run, OF_RUN_MAX],
  row,
  sql: withHolds(
    `
      select id
        from checkpoints
       where run_id = $1
       order by opened_at, id
       limit $2`,
    'order by c.opened_at, c.id',
  ),
});

const OF_ATTEMPTS_MAX = 1_000;

export const closedCheckpointsOfAttemptsStatement = statement({
  name: 'closedCheckpointsOfAttempts',
  args: (attempts: readonly string[]) => [attempts, OF_ATTEMPTS_MAX],
  row,
  sql: withHolds(
    `
      select id
        from checkpoints
       where attempt_id = any($1::text[])
         and status <> 'open'
       order by closed_at desc, id
       limit $2`,
    'order by c.closed_at, c.id',
  ),
});

/** A checkpoint of a project. */
export async function findCheckpoint(
  queries: Asker,
  project: string,
  id: string,
): Promise<CheckpointRead | undefined> {
  return (await queries.query(checkpointById, project, id)).map(toRead)[0];
}

/** Open ones: what holds up most first, then the oldest. Closed ones: the newest first. */
export async function listCheckpoints(
  queries: Asker,
  project: string,
  filter: CheckpointFilter,
  limit: number,
  offset: number,
): Promise<CheckpointRead[]> {
  return (await queries.query(checkpointsPage, project, filter, limit, offset)).map(toRead);
}

/** All checkpoints of a run, oldest first. */
export async function checkpointsOfRun(queries: Asker, run: string): Promise<CheckpointRead[]> {
  return (await queries.query(checkpointsOfRunStatement, run)).map(toRead);
}

/** What was decided for attempts, oldest decision first. */
export async function closedCheckpointsOfAttempts(
  queries: Asker,
  attempts: readonly string[],
): Promise<CheckpointRead[]> {
  return (await queries.query(closedCheckpointsOfAttemptsStatement, attempts)).map(toRead);
}

function toRead(flat: FlatCheckpoint): CheckpointRead {
  return {
    checkpoint: pickRow(TABLES.checkpoints, { ...flat }),
    taskKey: flat.taskKey,
    holdsUp: flat.holdsUp,
  };
}
