import type { TaskRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { toTimestamptz } from '../parameters.ts';
import { statement } from '../statement.ts';

/** Something counted by two words: what it is, and in which group. */
export interface Count {
  readonly what: string;
  readonly group: string;
  readonly count: number;
}

const countRow = z.strictObject({ what: z.string(), group: z.string(), count: z.int() });

export const countsOfProject = statement({
  name: 'countsOfProject',
  args: (project: string) => [project],
  row: countRow,
  sql: `
    select 'run' as what, status as "group", count(*) as count
      from runs
     where project_id = $1
       and deleted_at is null
     group by status
     union all
    select 'task', status, count(*)
      from tasks
     where project_id = $1
       and deleted_at is null
     group by status`,
});

/** How attempts ended, and what they used, since an instant. */
export interface AttemptCount {
  readonly status: string;
  readonly failureClass: string | null;
  readonly engine: string;
  readonly count: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Dollars, as a decimal number. */
  readonly usd: string | null;
}

export const attemptCountsOfProject = statement({
  name: 'attemptCountsOfProject',
  args: (project: string, sinceMs: number) => [project, toTimestamptz(sinceMs)],
  row: z.strictObject({
    status: z.string(),
    failureClass: z.string().nullable(),
    engine: z.string(),
    count: z.int(),
    inputTokens: z.int(),
    outputTokens: z.int(),
    cacheReadTokens: z.int(),
    cacheWriteTokens: z.int(),
    usd: z.string().nullable(),
  }),
  sql: `
    select status, failure_class as "failureClass", engine, count(*) as count,
           coalesce(sum((usage ->> 'input_tokens')::bigint), 0)::bigint as "inputTokens",
           coalesce(sum((usage ->> 'output_tokens')::bigint), 0)::bigint as "outputTokens",
           coalesce(sum((usage ->> 'cache_read_tokens')::bigint), 0)::bigint as "cacheReadTokens",
           coalesce(sum((usage ->> 'cache_write_tokens')::bigint), 0)::bigint as "cacheWriteTokens",
           sum((usage ->> 'usd')::numeric)::text as usd
      from attempts
     where project_id = $1
       and claimed_at >= $2::timestamptz
     group by status, failure_class, engine`,
});

/** A task that runs. */
export interface RunningTask {
  readonly id: string;
  readonly runId: string;
  readonly key: string;
  readonly title: string;
  readonly workerName: string | null;
  readonly engine: string | null;
  readonly progress: TaskRow['progress'];
  readonly startedAtMs: number | null;
}

const RUNNING_MAX = 100;

export const runningTasks = statement({
  name: 'runningTasks',
  args: (project: string) => [project, RUNNING_MAX],
  row: z.strictObject({
    id: z.string(),
    runId: z.string(),
    key: z.string(),
    title: z.string(),
    workerName: z.string().nullable(),
    engine: z.string().nullable(),
    progress: z.custom<TaskRow['progress']>(),
    startedAtMs: z.int().nullable(),
  }),
  sql: `
    select t.id, t.run_id as "runId", t.key, s.title, w.name as "workerName", a.engine, t.progress,
           t.started_at as "startedAtMs"
      from attempts a
      join tasks t
        on t.id = a.task_id
       and t.status = 'running'
      join task_specs s
        on s.task_id = t.id
      left join workers w
        on w.id = a.worker_id
     where a.project_id = $1
       and a.ended_at is null
       and a.status in ('claimed', 'running')
     order by t.started_at nulls last, t.id
     limit $2`,
});

export const delegationCounts = statement({
  name: 'delegationCounts',
  args: (project: string) => [project],
  row: countRow,
  sql: `
    select 'spawned' as what, case when t.ended_at is null then 'open' else 'ended' end as "group",
           count(*) as count
      from task_specs s
      join tasks t
        on t.id = s.task_id
     where s.project_id = $1
       and s.parent_task_id is not null
       and s.origin is not null
     group by 2
     union all
    select 'event', 'gate_downgrade', count(*)
      from task_specs s
      join attempts a
        on a.task_id = s.task_id
     where s.project_id = $1
       and s.parent_task_id is not null
       and s.origin is not null
       and a.result -> 'missing_files' is not null
     union all
    select 'await', status, count(*)
      from awaits
     where project_id = $1
     group by status
     union all
    select 'event', case when type = 'task.respawn_refused' then data ->> 'code' else type end,
           count(*)
      from events
     where project_id = $1
       and type in ('task.spawn_refused', 'task.respawn_refused', 'task.respawn_forced',
                    'task.breaker_tripped')
     group by 2`,
});

/** Runs and tasks of a project by status. */
export function countProject(queries: Asker, project: string): Promise<Count[]> {
  return queries.query(countsOfProject, project);
}

/** Attempts of a project that were claimed since, by what became of them. */
export function countAttempts(
  queries: Asker,
  project: string,
  sinceMs: number,
): Promise<AttemptCount[]> {
  return queries.query(attemptCountsOfProject, project, sinceMs);
}

/** Tasks of a project that run, the oldest first, at most 100. */
export function listRunning(queries: Asker, project: string): Promise<RunningTask[]> {
  return queries.query(runningTasks, project);
}

/** What agents handed on and awaited, and what was declined. */
export function countDelegation(queries: Asker, project: string): Promise<Count[]> {
  return queries.query(delegationCounts, project);
}
