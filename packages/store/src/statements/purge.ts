import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement, type Statement } from '../statement.ts';
import { blankEventsOfRun, blankEventsOfTask } from './blank-events.ts';

// Taking away everything of runs and tasks that are to be purged (`purge_at`), a bounded piece at a
// time. The marked row is the continuation: it goes last, so that whoever begins again after a crash
// goes on where the other one stopped. Nothing is begun while a process of it may be alive.

/** A run or a task that is to be purged. `task` null: the whole run. */
export interface Purgeable {
  readonly project: string;
  readonly run: string;
  readonly task: string | null;
}

/** What of the content of a purged file may be removed with it: nothing else refers to it. */
export interface LooseContent {
  readonly project: string;
  readonly sha256: string;
}

const purgeable = z.strictObject({
  project: z.string(),
  run: z.string(),
  task: z.string().nullable(),
});

/** Marked ones without a live process, the oldest first; a task's own only while its run stays. */
export const listPurgeable = statement({
  name: 'listPurgeable',
  args: (limit: number) => [limit],
  row: purgeable,
  sql: `
    select p.project, p.run, p.task
      from (select r.project_id as project, r.id as run, null as task, r.purge_at as at
              from runs r
             where r.purge_at is not null
               and not exists (select 1 from attempts a where a.run_id = r.id and a.ended_at is null)
             union all
            select t.project_id, t.run_id, t.id, t.purge_at
              from tasks t
              join runs r
                on r.id = t.run_id
             where t.purge_at is not null
               and r.purge_at is null
               and not exists (select 1
                                 from attempts a
                                where a.task_id = t.id
                                  and a.ended_at is null)) as p
     order by p.at, p.run
     limit $1`,
});

const TASKS_A_STEP = 100;
const ATTEMPTS_A_STEP = 500;

const idRow = z.strictObject({ id: z.string() });

export const tasksToPurge = statement({
  name: 'tasksToPurge',
  args: (run: string) => [run, TASKS_A_STEP],
  row: idRow,
  sql: `
    select id
      from tasks
     where run_id = $1
     order by position, id
     limit $2`,
});

export const attemptsToPurge = statement({
  name: 'attemptsToPurge',
  args: (tasks: readonly string[]) => [tasks, ATTEMPTS_A_STEP],
  row: idRow,
  sql: `
    select id
      from attempts
     where task_id = any($1::text[])
     order by id
     limit $2`,
});

export const artifactsToPurge = statement({
  name: 'artifactsToPurge',
  args: (tasks: readonly string[], limit: number) => [tasks, limit],
  row: z.strictObject({ id: z.string(), project: z.string(), sha256: z.string() }),
  sql: `
    select id, project_id as project, sha256
      from artifacts
     where task_id = any($1::text[])
     limit $2`,
});

/** Contents that only the named files refer to. */
export const contentOnlyOf = statement({
  name: 'contentOnlyOf',
  args: (artifacts: readonly string[]) => [artifacts],
  row: z.strictObject({ project: z.string(), sha256: z.string() }),
  sql: `
    select distinct f.project_id as project, f.sha256
      from artifacts f
     where f.id = any($1::text[])
       and not exists (select 1
                         from artifacts other
                        where other.project_id = f.project_id
                          and other.sha256 = f.sha256
                          and other.id <> all($1::text[]))`,
});

/** Whether nothing but the named files refers to a content. */
export const contentIsLoose = statement({
  name: 'contentIsLoose',
  args: (content: LooseContent, artifacts: readonly string[]) => [
    content.project,
    content.sha256,
    artifacts,
  ],
  row: z.strictObject({ loose: z.boolean() }),
  sql: `
    select not exists (select 1
                         from artifacts other
                        where other.project_id = $1
                          and other.sha256 = $2
                          and other.id <> all($3::text[])) as loose`,
});

type Delete = Statement<[keys: readonly string[], limit: number], { count: number }>;

/** Deletes rows of a table by one of its columns, at most `limit` a time. */
function deleteBy(table: string, column: string, key: readonly string[]): Delete {
  const keys = key.join(', ');
  return statement({
    name: `purge_${table}_by_${column}`,
    args: (values: readonly string[], limit: number) => [values, limit],
    row: z.strictObject({ count: z.int() }),
    sql: `
    with gone as (
      delete from ${table}
       where (${keys}) in (select ${keys}
                             from ${table}
                            where ${column} = any($1::text[])
                            limit $2)
      returning 1)
    select count(*) as count
      from gone`,
  });
}

/** Deletes what was marked itself, and keeps its id. */
function deleteMarked(table: 'runs' | 'tasks'): Delete {
  return statement({
    name: `purge_marked_${table}`,
    args: (values: readonly string[], limit: number) => [values, limit],
    row: z.strictObject({ count: z.int() }),
    sql: `
    with gone as (
      delete from ${table}
       where id in (select id
                      from ${table}
                     where id = any($1::text[])
                     limit $2)
      returning project_id, id),
    known as (
      insert into purged_ids (project_id, id, purged_at)
      select project_id, id, clock_timestamp()
        from gone
          on conflict (project_id, id) do nothing)
    select count(*) as count
      from gone`,
  });
}

/** Whether something of this id was purged not long ago; of a task also by the id its client chose. */
export const findPurged = statement({
  name: 'findPurged',
  args: (project: string, id: string) => [project, id],
  row: z.strictObject({ id: z.string() }),
  sql: `
    select id
      from purged_ids
     where project_id = $1
       and (id = $2 or id = $1 || '.' || $2)`,
});

/** A part of a run that stays is gone: who remembers the run reads it again. */
export const raiseVersionOf = statement({
  name: 'raiseVersionOf',
  args: (run: string) => [run],
  row: z.strictObject({ id: z.string() }),
  sql: `
    update runs
       set version = version + 1
     where id = $1
    returning id`,
});

/** What goes with attempts, before them. */
export const OF_ATTEMPTS: readonly Delete[] = [
  deleteBy('log_chunks', 'attempt_id', ['attempt_id', 'stream', 'start_offset']),
  deleteBy('log_heads', 'attempt_id', ['attempt_id']),
];

/** What goes with tasks, before them. */
export const OF_TASKS: readonly Delete[] = [
  deleteBy('actions', 'task_id', ['id']),
  deleteBy('awaits', 'task_id', ['id']),
  deleteBy('outputs', 'task_id', ['id']),
  deleteBy('notes', 'task_id', ['id']),
  deleteBy('timers', 'task_id', ['id']),
  deleteBy('ready', 'task_id', ['task_id']),
  deleteBy('dependencies', 'upstream_id', ['id']),
  deleteBy('dependencies', 'downstream_id', ['id']),
  deleteBy('task_specs', 'task_id', ['task_id']),
];
export const purgeTasksOfRun = deleteBy('tasks', 'id', ['id']);

/** What else goes with a run, before it. */
export const OF_RUNS: readonly Delete[] = [
  deleteBy('checkpoints', 'run_id', ['id']),
  deleteBy('timers', 'run_id', ['id']),
  deleteBy('budgets', 'run_id', ['id']),
  deleteBy('plan_parts', 'run_id', ['id']),
];
export const purgeAttempts = deleteBy('attempts', 'id', ['id']);
/** The marked rows themselves, last of all; their ids stay known as purged. */
export const purgeRuns = deleteMarked('runs');
export const purgeTasksAlone = deleteMarked('tasks');
export const purgeArtifacts = deleteBy('artifacts', 'id', ['id']);

export const purgeCheckpointsOfTask = statement({
  name: 'purgeCheckpointsOfTask',
  args: (run: string, task: string, limit: number) => [run, task, limit],
  row: z.strictObject({ count: z.int() }),
  sql: `
    with gone as (
      delete from checkpoints
       where id in (select id
                      from checkpoints
                     where run_id = $1
                       and task_id = $2
                     limit $3)
      returning 1)
    select count(*) as count
      from gone`,
});

/**
 * Removes a content from the blob store if it `isLoose` at the decisive moment; called before the rows that
 * name it go. False: nothing may be removed now, all of it is to be tried again later.
 */
export type RemoveContent = (
  content: LooseContent,
  isLoose: () => Promise<boolean>,
) => Promise<boolean>;

/**
 * Takes away one bounded piece of a run or task: at most about `rowsMax` rows a statement, one
 * statement after the other. Resolves with the rows that went; 0: there is nothing more of it, or its
 * content may not be removed now.
 */
export async function purgeStep(
  queries: Asker,
  what: Purgeable,
  rowsMax: number,
  removeContent: RemoveContent,
): Promise<number> {
  const tasks =
    what.task === null
      ? (await queries.query(tasksToPurge, what.run)).map(({ id }) => id)
      : [what.task];
  let gone = 0;
  if (what.task !== null) gone += await blankTask(queries, what.run, what.task, rowsMax);
  if (gone >= rowsMax) return gone;
  if (tasks.length === 0) return gone + (await purgeRun(queries, what.run, rowsMax));
  const last = what.task === null ? purgeTasksOfRun : purgeTasksAlone;
  const rows = await purgeTasks(queries, tasks, last, rowsMax, removeContent);
  if (what.task !== null && rows > 0) await queries.query(raiseVersionOf, what.run);
  return gone + rows;
}

async function blankTask(
  queries: Asker,
  run: string,
  task: string,
  rowsMax: number,
): Promise<number> {
  const [events] = await queries.query(blankEventsOfTask, run, task, rowsMax);
  const [checkpoints] = await queries.query(purgeCheckpointsOfTask, run, task, rowsMax);
  return (events?.count ?? 0) + (checkpoints?.count ?? 0);
}

async function purgeTasks(
  queries: Asker,
  tasks: readonly string[],
  last: Delete,
  rowsMax: number,
  removeContent: RemoveContent,
): Promise<number> {
  const attempts = (await queries.query(attemptsToPurge, tasks)).map(({ id }) => id);
  if (attempts.length > 0) {
    for (const statement of OF_ATTEMPTS) {
      const gone = await runDelete(queries, statement, attempts, rowsMax);
      if (gone >= rowsMax) return gone;
    }
    return runDelete(queries, purgeAttempts, attempts, ATTEMPTS_A_STEP);
  }
  const files = (await queries.query(artifactsToPurge, tasks, rowsMax)).map(({ id }) => id);
  if (files.length > 0) {
    for (const content of await queries.query(contentOnlyOf, files)) {
      const isLoose = () => isContentLoose(queries, content, files);
      if (!(await removeContent(content, isLoose))) return 0;
    }
    return runDelete(queries, purgeArtifacts, files, rowsMax);
  }
  let total = 0;
  for (const statement of [...OF_TASKS, last]) {
    const gone = await runDelete(queries, statement, tasks, rowsMax);
    total += gone;
    if (gone >= rowsMax) return total;
  }
  return total;
}

/** Whether nothing refers to a content, but for the named files. */
export async function isContentLoose(
  queries: Asker,
  content: LooseContent,
  files: readonly string[] = [],
): Promise<boolean> {
  const [row] = await queries.query(contentIsLoose, content, files);
  return row?.loose === true;
}

async function purgeRun(queries: Asker, run: string, rowsMax: number): Promise<number> {
  const [events] = await queries.query(blankEventsOfRun, run, rowsMax);
  let total = events?.count ?? 0;
  if (total >= rowsMax) return total;
  for (const statement of OF_RUNS) {
    const gone = await runDelete(queries, statement, [run], rowsMax);
    total += gone;
    if (gone >= rowsMax) return total;
  }
  return total + (await runDelete(queries, purgeRuns, [run], rowsMax));
}

async function runDelete(
  queries: Asker,
  statement: Delete,
  keys: readonly string[],
  rowsMax: number,
): Promise<number> {
  if (keys.length === 0) return 0;
  const [row] = await queries.query(statement, keys, rowsMax);
  return row?.count ?? 0;
}
