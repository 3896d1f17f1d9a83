import { LIMITS, PRIORITIES, type TaskResult } from '@baton/contract';
import type { OutputRow, TaskRow, TaskSpecRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { pickRow } from '../tables/pick-row.ts';
import { beforeKey, containsFilter, labelFilter, type PageKey } from './filter.ts';

/** A task, what was asked for, the worker of its open or newest attempt, the result that stands. */
export interface TaskRead {
  readonly task: TaskRow;
  readonly spec: TaskSpecRow;
  readonly workerName: string | null;
  readonly result: TaskResult | null;
  /** The first run of all that came of its run. */
  readonly lineageRoot: string;
}

/**
 * Which tasks; what is absent does not filter. `engine` is the one asked for or in use, `worker` an
 * id or name, in use or assigned; `label` is `key` or `key=value`.
 */
export interface TaskFilter {
  readonly status?: readonly string[] | undefined;
  readonly run?: string | undefined;
  readonly role?: readonly string[] | undefined;
  readonly engine?: string | undefined;
  readonly worker?: string | undefined;
  readonly origin?: string | undefined;
  readonly parent?: string | undefined;
  readonly priority?: readonly string[] | undefined;
  readonly label?: string | undefined;
  readonly lineage?: string | undefined;
  readonly review?: readonly string[] | undefined;
  readonly needsHuman?: boolean | undefined;
  readonly text?: string | undefined;
}

type FlatTask = TaskRow &
  Omit<TaskSpecRow, 'taskId'> &
  Pick<TaskRead, 'workerName' | 'result' | 'lineageRoot'>;

const specColumns = TABLES.taskSpecs.columns.filter(
  ({ property }) => !['taskId', 'runId', 'projectId'].includes(property),
);
const row = z.strictObject({
  ...TABLES.tasks.shape,
  ...Object.fromEntries(specColumns.map(({ property, schema }) => [property, schema])),
  workerName: z.string().nullable(),
  result: z.custom<TaskResult | null>(),
  lineageRoot: z.string(),
}) as unknown as z.ZodType<FlatTask>;

const SELECT = `
    select ${TABLES.tasks.select('t')},
      ${specColumns.map(({ name, property }) => `s.${name} as "${property}"`).join(', ')},
      w.name as "workerName", standing.result, coalesce(r.lineage_root, t.run_id) as "lineageRoot"
      from tasks t
      join task_specs s
        on s.task_id = t.id
      left join runs r
        on r.id = t.run_id
      left join workers w
        on w.id = t.worker_id
      left join attempts standing
        on standing.id = t.result_attempt_id`;

/** Deleted tasks, and those of deleted runs, are shown to nobody. */
export const IS_SHOWN = `
       and t.deleted_at is null
       and not exists (select 1
                         from runs hidden
                        where hidden.id = t.run_id
                          and hidden.deleted_at is not null)`;

export const taskById = statement({
  name: 'taskById',
  args: (project: string, id: string) => [project, id],
  row,
  sql: `${SELECT}
     where t.id = $2
       and t.project_id = $1${IS_SHOWN}`,
});

export const tasksByIdStatement = statement({
  name: 'tasksById',
  args: (project: string, ids: readonly string[]) => [project, ids],
  row,
  sql: `${SELECT}
     where t.id = any($2::text[])
       and t.project_id = $1
     order by t.id`,
});

export const taskIdByKeyStatement = statement({
  name: 'taskIdByKey',
  args: (run: string, key: string) => [run, key],
  row: z.strictObject({ id: z.string() }),
  sql: `
    select id
      from tasks
     where run_id = $1
       and key = $2
       and deleted_at is null
     order by position desc
     limit 1`,
});

const TASKS_OF_RUN_MAX = 2 * LIMITS.tasksPerRunSettingMax;

export const tasksOfRunStatement = statement({
  name: 'tasksOfRun',
  args: (run: string) => [run, TASKS_OF_RUN_MAX],
  row,
  sql: `${SELECT}
     where t.run_id = $1
       and t.deleted_at is null
     order by t.position, t.id
     limit $2`,
});

const FILTERS = `${IS_SHOWN}
       and (t.created_at, t.id) < ($14::timestamptz, $15)
       and ($2::text[] is null or t.status = any($2))
       and ($3::text[] is null or s.spec ->> 'role' = any($3))
       and ($4::text is null
            or s.spec -> 'needs' ->> 'engine' = $4
            or exists (select 1 from attempts a where a.id = t.attempt_id and a.engine = $4))
       and ($5::text is null or t.worker_id = $5 or w.name = $5 or t.assigned_worker = $5)
       and ($6::text is null or s.origin = $6)
       and ($7::text is null or s.parent_task_id = $7)
       and ($8::smallint[] is null or t.priority = any($8))
       and ($9::text is null or s.spec -> 'labels' -> $9 is not null)
       and ($10::text is null or s.spec -> 'labels' ->> $9 = $10)
       and ($11::boolean is null
            or $11 = exists (select 1
                               from checkpoints c
                              where c.task_id = t.id
                                and c.status = 'open'))
       and ($12::text is null
            or s.title ilike $12
            or t.key ilike $12
            or t.id like $12
            or s.spec ->> 'spec' ilike $12)
       and ($16::text[] is null or s.review ->> 'state' = any($16))
       and ($17::text is null
            or exists (select 1
                         from runs line
                        where line.id = t.run_id
                          and line.lineage_root = $17))
     order by t.created_at desc, t.id desc
     limit $13`;

function filterValues(
  scope: string,
  filter: TaskFilter,
  limit: number,
  after: PageKey | undefined,
): readonly unknown[] {
  return [
    scope,
    filter.status ?? null,
    filter.role ?? null,
    filter.engine ?? null,
    filter.worker ?? null,
    filter.origin ?? null,
    filter.parent ?? null,
    filter.priority?.map((name) => PRIORITIES.findIndex((it) => it === name)) ?? null,
    ...labelFilter(filter.label),
    filter.needsHuman ?? null,
    containsFilter(filter.text),
    limit,
    ...beforeKey(after),
    filter.review ?? null,
    filter.lineage ?? null,
  ];
}

export const tasksPage = statement({
  name: 'tasksPage',
  args: (project: string, filter: TaskFilter, limit: number, after: PageKey | undefined) =>
    filterValues(project, filter, limit, after),
  row,
  sql: `${SELECT}
     where t.project_id = $1${FILTERS}`,
});

export const tasksOfRunPage = statement({
  name: 'tasksOfRunPage',
  args: (
    run: string,
    project: string,
    filter: TaskFilter,
    limit: number,
    after: PageKey | undefined,
  ) => [...filterValues(run, filter, limit, after), project],
  row,
  sql: `${SELECT}
     where t.run_id = $1
       and t.project_id = $18${FILTERS}`,
});

/** A task of a project, by its internal id. */
export async function findTask(
  queries: Asker,
  project: string,
  id: string,
): Promise<TaskRead | undefined> {
  const [flat] = await queries.query(taskById, project, id);
  return flat === undefined ? undefined : toRead(flat);
}

/** Tasks of a project by their internal ids, in no order. */
export async function tasksById(
  queries: Asker,
  project: string,
  ids: readonly string[],
): Promise<TaskRead[]> {
  return (await queries.query(tasksByIdStatement, project, ids)).map(toRead);
}

/** The id of the task of a run that has this key; of several, as deleted ones leave it to, the newest. */
export async function taskIdByKey(
  queries: Asker,
  run: string,
  key: string,
): Promise<string | undefined> {
  return (await queries.query(taskIdByKeyStatement, run, key))[0]?.id;
}

/** All tasks of a run, in plan order. */
export async function tasksOfRun(queries: Asker, run: string): Promise<TaskRead[]> {
  const rows = await queries.query(tasksOfRunStatement, run);
  return rows.map(toRead);
}

/** Tasks of a project, newest first, behind `after`. */
export async function listTasks(
  queries: Asker,
  project: string,
  filter: TaskFilter,
  limit: number,
  after: PageKey | undefined,
): Promise<TaskRead[]> {
  const rows = await (filter.run === undefined
    ? queries.query(tasksPage, project, filter, limit, after)
    : queries.query(tasksOfRunPage, filter.run, project, filter, limit, after));
  return rows.map(toRead);
}

function toRead(flat: FlatTask): TaskRead {
  return {
    task: pickRow(TABLES.tasks, { ...flat }),
    spec: pickRow(TABLES.taskSpecs, { ...flat, taskId: flat.id }),
    workerName: flat.workerName,
    result: flat.result,
    lineageRoot: flat.lineageRoot,
  };
}

const OUTPUTS_MAX = 100_000;

export const outputsOfTasksStatement = statement({
  name: 'outputsOfTasks',
  args: (tasks: readonly string[]) => [tasks, OUTPUTS_MAX],
  row: TABLES.outputs.row,
  sql: `
    select ${TABLES.outputs.select('o')}
      from outputs o
     where o.task_id = any($1::text[])
     order by o.task_id, o.generation, o.key
     limit $2`,
});

/** Fulfilled contracts of tasks, of all generations. */
export function outputsOfTasks(queries: Asker, tasks: readonly string[]): Promise<OutputRow[]> {
  return queries.query(outputsOfTasksStatement, tasks);
}
