import { LISTS, type ListName, type Lists, type TableName, type Tables } from '@baton/kernel';
import type { z } from 'zod';
import type { Queries } from '../db.ts';
import { bind, statement, type Bound, type Statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { eachTable } from '../tables/each-table.ts';

/** Lists that are loaded by their owner's id. Claimable rows are locked and loaded at once, apart. */
export type LoadableList = Exclude<ListName, 'readyOfProject'>;

type RowStatement<T extends TableName> = Statement<[ids: readonly string[]], Tables[T]>;
/** What is asked of the world: rows by key, or lists by their owner. */
export type Want =
  | { readonly kind: 'row'; readonly table: TableName; readonly id: string }
  | { readonly kind: 'list'; readonly list: LoadableList; readonly id: string };

/** Answers to wants, in their order: a row or null, or the rows of a list. */
export type Loaded =
  | { readonly kind: 'row'; readonly table: TableName; readonly id: string; readonly row: AnyRow | null }
  | {
      readonly kind: 'list';
      readonly list: LoadableList;
      readonly id: string;
      readonly rows: readonly AnyRow[];
    };
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
  workerByName: {
    where: `(t.project_id, t.name) in
           (select project_id, name from unnest($1::text[], $2::text[]) as u (project_id, name))`,
    orderBy: 't.id',
    args: (ids) => [ids.map((id) => splitName(id)[0]), ids.map((id) => splitName(id)[1])],
  },
};

/** `<projectId>/<name>`; neither holds a slash. */
function splitName(id: string): readonly [project: string, name: string] {
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
  queries: Queries,
  table: T,
  ids: readonly string[],
): Promise<Map<string, Tables[T]>> {
  const rows = await queries.query(LOAD_STATEMENTS[table] as RowStatement<T>, ids);
  return byKey(table, rows);
}

/** Whole lists by the id of their owner; each id is in the map, with no rows if there are none. */
export async function loadList<L extends LoadableList>(
  queries: Queries,
  list: L,
  ids: readonly string[],
): Promise<Map<string, Tables[Lists[L]][]>> {
  const rows = await queries.query(LIST_STATEMENTS[list] as RowStatement<Lists[L]>, ids);
  return byOwner(list, ids, rows);
}

/** All that is wanted, in one round trip, one statement a table and list. */
export async function loadWorld(queries: Queries, wants: readonly Want[]): Promise<Loaded[]> {
  const rowIds = new Map<TableName, Set<string>>();
  const listIds = new Map<LoadableList, Set<string>>();
  for (const want of wants) {
    if (want.kind === 'row') add(rowIds, want.table, want.id);
    else add(listIds, want.list, want.id);
  }
  const tables = [...rowIds.keys()];
  const lists = [...listIds.keys()];
  const asked = [
    ...tables.map((table) => bindRows(table, [...(rowIds.get(table) ?? [])])),
    ...lists.map((list) => bindList(list, [...(listIds.get(list) ?? [])])),
  ];
  const answers = asked.length === 0 ? [] : await queries.pipeline(asked);
  const rows = new Map(tables.map((table, at) => [table, byKey(table, answers[at] ?? [])]));
  const owned = new Map(
    lists.map((list, at) => {
      const ids = [...(listIds.get(list) ?? [])];
      const listed = (answers[tables.length + at] ?? []) as Tables[Lists[LoadableList]][];
      return [list, byOwner(list, ids, listed)];
    }),
  );
  return wants.map((want) =>
    want.kind === 'row'
      ? { ...want, row: rows.get(want.table)?.get(want.id) ?? null }
      : { ...want, rows: owned.get(want.list)?.get(want.id) ?? [] },
  );
}

function add<K>(ids: Map<K, Set<string>>, key: K, id: string): void {
  const known = ids.get(key);
  if (known === undefined) ids.set(key, new Set([id]));
  else known.add(id);
}

function bindRows(table: TableName, ids: readonly string[]): Bound<AnyRow> {
  return bind(LOAD_STATEMENTS[table] as RowStatement<TableName>, ids);
}

function bindList(list: LoadableList, ids: readonly string[]): Bound<AnyRow> {
  return bind(LIST_STATEMENTS[list] as RowStatement<TableName>, ids);
}

function byKey<T extends TableName>(table: T, rows: readonly Tables[T][]): Map<string, Tables[T]> {
  const property = TABLES[table].key.property as keyof Tables[T];
  return new Map(rows.map((row) => [row[property] as string, row]));
}

function byOwner<L extends LoadableList>(
  list: L,
  ids: readonly string[],
  rows: readonly Tables[Lists[L]][],
): Map<string, Tables[Lists[L]][]> {
  const owned = new Map<string, Tables[Lists[L]][]>(ids.map((id) => [id, []]));
  const owners = LISTS[list].owners as (row: Tables[Lists[L]]) => readonly string[];
  for (const row of rows) {
    for (const owner of owners(row)) owned.get(owner)?.push(row);
  }
  return owned;
}
