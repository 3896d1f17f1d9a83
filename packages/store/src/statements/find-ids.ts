import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement, type Statement } from '../statement.ts';

/** Kinds of objects that are found by id or by the beginning of one. */
export type Findable = 'runs' | 'tasks' | 'checkpoints' | 'attempts' | 'artifacts' | 'workers';

const FINDABLE: readonly Findable[] = [
  'runs',
  'tasks',
  'checkpoints',
  'attempts',
  'artifacts',
  'workers',
];

/** Shorter beginnings of ids are not looked up: they would fit nearly everything. */
const PREFIX_CHARS_MIN = 8;
const FOUND_MAX = 10;

/** Other ways to say which row is meant exactly, with `$1` the project and `$2` the text. */
const ALSO_EXACT: Partial<Record<Findable, string>> = {
  tasks: `or id = $1 || '.' || $2`,
  workers: 'or name = $2',
};
/** The id under which a task is stored that a client named. */
const ALSO_NEAR: Partial<Record<Findable, string>> = {
  tasks: `or (id >= $1 || '.' || $2 and id < $1 || '.' || $2 || chr(1114111))`,
};

/** What was deleted is found by nobody, but by whoever purges it. */
const IS_SHOWN: Partial<Record<Findable, string>> = {
  runs: 'and deleted_at is null',
  tasks: `and deleted_at is null
         and not exists (select 1
                           from runs
                          where runs.id = tasks.run_id
                            and runs.deleted_at is not null)`,
};

type FindIds = Statement<[project: string, text: string], { id: string }>;

/** One statement a kind. */
export const FIND_IDS = Object.fromEntries(
  FINDABLE.map((kind) => [kind, findIdsStatement(kind, kind, IS_SHOWN[kind] ?? '')]),
) as Readonly<Record<Findable, FindIds>>;

/** The same where deleted runs and tasks are found too. */
export const FIND_DELETED = {
  runs: findIdsStatement('runs', 'allRuns', ''),
  tasks: findIdsStatement('tasks', 'allTasks', ''),
} as const;

function findIdsStatement(kind: Findable, name: string, isShown: string): FindIds {
  return statement({
    name: `findIds_${name}`,
    args: (project: string, text: string) => [project, text, PREFIX_CHARS_MIN, FOUND_MAX],
    row: z.strictObject({ id: z.string() }),
    sql: `
    with exact as (
      select id
        from ${kind}
       where project_id = $1
         ${isShown}
         and (id = $2 ${ALSO_EXACT[kind] ?? ''})),
    near as (
      select id
        from ${kind}
       where project_id = $1
         ${isShown}
         and char_length($2) >= $3
         and not exists (select 1 from exact)
         and ((id >= $2 and id < $2 || chr(1114111)) ${ALSO_NEAR[kind] ?? ''})
       order by id
       limit $4)
    select id
      from exact
     union all
    select id
      from near`,
  });
}

/**
 * Ids of a project that are `text` (a task also by the id its client chose, a worker by name), else
 * those that begin with it, if it has at least 8 characters; at most 10.
 */
export async function findIds(
  queries: Asker,
  kind: Findable,
  project: string,
  text: string,
): Promise<string[]> {
  const rows = await queries.query(FIND_IDS[kind], project, text);
  return rows.map((row) => row.id);
}

/** Ids of runs or tasks like `findIds`, deleted ones among them. */
export async function findIdsEver(
  queries: Asker,
  kind: keyof typeof FIND_DELETED,
  project: string,
  text: string,
): Promise<string[]> {
  const rows = await queries.query(FIND_DELETED[kind], project, text);
  return rows.map((row) => row.id);
}
