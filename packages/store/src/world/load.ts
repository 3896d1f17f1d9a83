import {
  LISTS,
  type ListName,
  type Lists,
  type SlotRow,
  type TableName,
  type Tables,
} from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement, type Statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { eachTable } from '../tables/each-table.ts';

/**
 * Lists that are loaded by their owner's id. What claims take is locked and loaded at once, apart; of
 * slots there is a statement of its own.
 */
export type LoadableList = Exclude<
  ListName,
  'readyOfProject' | 'freeSlotsOfProject' | 'slotsOfWorker'
>;

type RowStatement<T extends TableName> = Statement<[ids: readonly string[]], Tables[T]>;
type AnyRow = Tables[TableName];

/** One statement a table: rows by key, in no order. */
export const LOAD_STATEMENTS = eachTable((table) =>
  statement({
    name: `load_${table.sqlName}`,
    args: (ids: readonly string[]) => [ids],
    row: table.row as unknown as z.ZodType<AnyRow>,
    sql: `
    select ${table.select('t')}
      from ${table.sqlName} t
     where t.${table.key.name} = any($1::text[])`,
  }),
) as unknown as { readonly [T in TableName]: RowStatement<T> };

interface ListQuery {
  /** Which rows; `$1` holds the owners. */
  readonly where: string;
  readonly orderBy: string;
  readonly args?: (ids: readonly string[]) => readonly unknown[];
}

const ownedBy = (column: string, and = ''): string =>
  `t.${column} = any($1::text[])${and === '' ? '' : `\n       and ${and}`}`;

/** Which rows are on a list is told by `LISTS` of the kernel; here it is said in SQL. */
const LIST_QUERIES: { readonly [L in LoadableList]: ListQuery } = {
  tasksOfRun: { where: ownedBy('run_id'), orderBy: 't.run_id, t.position, t.id' },
  specsOfRun: { where: ownedBy('run_id'), orderBy: 't.task_id' },
  dependenciesOfRun: { where: ownedBy('run_id'), orderBy: 't.id' },
  edgesOut: { where: ownedBy('upstream_id'), orderBy: 't.id' },
  edgesIn: { where: ownedBy('downstream_id'), orderBy: 't.id' },
  outputsOfTask: { where: ownedBy('task_id'), orderBy: 't.generation, t.key' },
  artifactsOfTask: { where: ownedBy('task_id'), orderBy: 't.created_at, t.id' },
  notesOfTask: { where: ownedBy('task_id'), orderBy: 't.created_at, t.id' },
  timersOfTask: { where: ownedBy('task_id'), orderBy: 't.due_at, t.id' },
  timersOfRun: { where: ownedBy('run_id'), orderBy: 't.due_at, t.id' },
  openCheckpointsOfTask: {
    where: ownedBy('task_id', `t.status = 'open'`),
    orderBy: 't.opened_at, t.id',
  },
  openCheckpointsOfRun: {
    where: ownedBy('run_id', `t.status = 'open'`),
    orderBy: 't.opened_at, t.id',
  },
  checkpointsOfAttempt: { where: ownedBy('attempt_id'), orderBy: 't.opened_at, t.id' },
  openAttemptsOfWorker: {
    where: ownedBy('worker_id', 't.ended_at is null'),
    orderBy: 't.claimed_at, t.id',
  },
  openAttemptsOfRun: {
    where: ownedBy('run_id', 't.ended_at is null'),
    orderBy: 't.claimed_at, t.id',
  },
  attemptsOfTask: { where: ownedBy('task_id'), orderBy: 't.epoch' },
  workersOfProject: { where: ownedBy('project_id'), orderBy: 't.name' },
  deliveriesOfWorker: {
    where: ownedBy('delivery_worker_id', 't.delivery_order is not null'),
    orderBy: 't.id',
  },
  planPartsOfRun: { where: ownedBy('run_id'), orderBy: 't.part' },
  limitsOfProject: { where: ownedBy('project_id'), orderBy: 't.project_id, t.key' },
  slotsOfLimit: { where: ownedBy('limit_id'), orderBy: 't.limit_id, t.no' },
  surplusOfLimit: { where: ownedBy('limit_id', 't.surplus'), orderBy: 't.limit_id, t.no' },
  parkingsOfProject: { where: ownedBy('project_id'), orderBy: 't.id' },
  unfundedOfRun: { where: ownedBy('run_id', `t.held = 'budget'`), orderBy: 't.seq' },
  unfundedRunsOfProject: {
    where: ownedBy('project_id', 't.is_unfunded'),
    orderBy: 't.id',
  },
  budgetsOfRun: { where: ownedBy('run_id'), orderBy: 't.id' },
  childrenOfTask: { where: ownedBy('parent_task_id'), orderBy: 't.task_id' },
  awaitsOfTask: { where: ownedBy('task_id'), orderBy: 't.opened_at, t.id' },
  awaitsOfRun: { where: ownedBy('run_id', 'not t.settled'), orderBy: 't.opened_at, t.id' },
  workerByName: {
    where: `(t.project_id, t.name) in
           (select project_id, name from unnest($1::text[], $2::text[]) as u (project_id, name))`,
    orderBy: 't.id',
    args: (ids) => [ids.map((id) => splitName(id)[0]), ids.map((id) => splitName(id)[1])],
  },
};

/** `<projectId>/<name>`; neither holds a slash. */
export function splitName(id: string): readonly [project: string, name: string] {
  const at = id.indexOf('/');
  return [id.slice(0, at), id.slice(at + 1)];
}

/** One statement a list: all rows of the lists of some owners. */
export const LIST_STATEMENTS = Object.fromEntries(
  (Object.keys(LIST_QUERIES) as LoadableList[]).map((list) => {
    const table = TABLES[LISTS[list].table];
    const { where, orderBy, args } = LIST_QUERIES[list];
    const made = statement({
      name: `list_${list}`,
      args: args ?? ((ids: readonly string[]) => [ids]),
      row: table.row as unknown as z.ZodType<AnyRow>,
      sql: `
    select ${table.select('t')}
      from ${table.sqlName} t
     where ${where}
     order by ${orderBy}`,
    });
    return [list, made];
  }),
) as unknown as { readonly [L in LoadableList]: RowStatement<Lists[L]> };

/** Rows by key; the ids of rows that do not exist are not in the map. */
export async function loadRows<T extends TableName>(
  queries: Asker,
  table: T,
  ids: readonly string[],
): Promise<Map<string, Tables[T]>> {
  const rows = await queries.query(LOAD_STATEMENTS[table] as RowStatement<T>, ids);
  return byKey(table, rows);
}

/** Whole lists by the id of their owner, with their rows by key; each owner asked for is in the map. */
export async function loadList<L extends LoadableList>(
  queries: Asker,
  list: L,
  ids: readonly string[],
): Promise<Map<string, Map<string, Tables[Lists[L]]>>> {
  const rows = await queries.query(LIST_STATEMENTS[list] as RowStatement<Lists[L]>, ids);
  return byOwner(list, ids, rows);
}

const attemptShape = TABLES.attempts.shape;

/** Who takes the slots of some workers: of every dispatch, so no more of each than it takes to count. */
export const slotsOfWorkers = statement({
  name: 'slotsOfWorkers',
  args: (workers: readonly string[]) => [workers],
  row: z.strictObject({
    id: attemptShape['id'],
    workerId: attemptShape['workerId'],
    status: attemptShape['status'],
    parkMode: attemptShape['parkMode'],
  }) as unknown as z.ZodType<SlotRow>,
  sql: `
    select t.id, t.worker_id as "workerId", t.status, t.park_mode as "parkMode"
      from attempts t
     where t.worker_id = any($1::text[])
       and t.ended_at is null
     order by t.claimed_at, t.id`,
});

/** The open attempts of workers by worker; each worker asked for is in the map. */
export async function loadSlots(
  queries: Asker,
  workers: readonly string[],
): Promise<Map<string, SlotRow[]>> {
  const owned = new Map(workers.map((id): [string, SlotRow[]] => [id, []]));
  for (const row of await queries.query(slotsOfWorkers, workers)) {
    owned.get(row.workerId)?.push(row);
  }
  return owned;
}

function byKey<T extends TableName>(table: T, rows: readonly Tables[T][]): Map<string, Tables[T]> {
  const property = TABLES[table].key.property as keyof Tables[T];
  return new Map(rows.map((row) => [row[property] as string, row]));
}

function byOwner<L extends LoadableList>(
  list: L,
  ids: readonly string[],
  rows: readonly Tables[Lists[L]][],
): Map<string, Map<string, Tables[Lists[L]]>> {
  const owned = new Map(ids.map((id) => [id, new Map<string, Tables[Lists[L]]>()]));
  const owners = LISTS[list].owners as (row: Tables[Lists[L]]) => readonly string[];
  for (const [key, row] of byKey(LISTS[list].table as Lists[L], rows)) {
    for (const owner of owners(row)) owned.get(owner)?.set(key, row);
  }
  return owned;
}
