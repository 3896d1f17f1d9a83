import type { TableName, Tables } from '@baton/kernel';
import { bind, type Bound } from '../statement.ts';
import { TABLES } from '../tables.ts';
import type { Column } from '../tables/column.ts';
import { eachTable } from '../tables/each-table.ts';
import type { Table, UpdateGroup } from '../tables/table.ts';
import { rowParameters } from './row-source.ts';
import { raiseVersions, writesOf, type Writes, type WriteStatement } from './write-statements.ts';

/**
 * A row before and after a batch: new (`original` null), gone (`row` null) or changed. Its original is
 * what was loaded after its locks were taken.
 */
export interface RowChange {
  readonly table: TableName;
  readonly id: string;
  readonly row: Tables[TableName] | null;
  readonly original: Tables[TableName] | null;
}

type AnyRow = Readonly<Record<string, unknown>>;
interface Changed {
  readonly row: AnyRow;
  readonly original: AnyRow;
}

/** The statements of every table: insert, delete, and one update for each group of columns. */
export const WRITE_STATEMENTS: { readonly [T in TableName]: Writes } = eachTable(writesOf);

/**
 * The difference as a few statements, to be sent in this order: what goes, what changes, what comes.
 * Each fails as `retryable` when a row that it changes or deletes is not there any more as it was
 * (same epoch and status where a table has them), so that they can be sent together with COMMIT.
 * The version of each run in `changedRuns` is raised by one; those that are new begin at 0.
 */
export function writeStatements(
  changes: readonly RowChange[],
  changedRuns: ReadonlySet<string> = new Set(),
): Bound<unknown>[] {
  const perTable = groupChanges(changes);
  const deletes: Bound<unknown>[] = [];
  const updates: Bound<unknown>[] = [];
  const inserts: Bound<unknown>[] = [];
  for (const table of Object.values(TABLES) as Table[]) {
    const difference = perTable.get(table.name);
    if (difference === undefined) continue;
    const { gone, changed, added } = table.isQueue ? replaced(difference) : difference;
    if (gone.length > 0) deletes.push(bindDelete(table, gone));
    updates.push(...bindUpdates(table, changed));
    if (added.length > 0) inserts.push(bindInsert(table, added));
  }
  const changed = perTable.get('runs');
  const raised = new Set(changedRuns);
  for (const { row } of changed?.changed ?? []) raised.delete(String(row['id']));
  for (const row of changed?.gone ?? []) raised.delete(String(row['id']));
  if (raised.size > 0) updates.push(bind(raiseVersions, [[...raised]]));
  return [...deletes, ...updates, ...inserts];
}

interface Difference {
  readonly gone: AnyRow[];
  readonly changed: Changed[];
  readonly added: AnyRow[];
}

function groupChanges(changes: readonly RowChange[]): Map<TableName, Difference> {
  const perTable = new Map<TableName, Difference>();
  for (const { table, row, original } of changes) {
    if (row === original) continue;
    let difference = perTable.get(table);
    if (difference === undefined) {
      difference = { gone: [], changed: [], added: [] };
      perTable.set(table, difference);
    }
    if (row === null) difference.gone.push(original as unknown as AnyRow);
    else if (original === null) difference.added.push(row as unknown as AnyRow);
    else {
      const change = { row: row as unknown as AnyRow, original: original as unknown as AnyRow };
      difference.changed.push(change);
    }
  }
  return perTable;
}

/** Rows of a queue are not updated: the old one goes and the new one comes. */
function replaced({ gone, changed, added }: Difference): Difference {
  return {
    gone: [...gone, ...changed.map((it) => it.original)],
    changed: [],
    added: [...added, ...changed.map((it) => it.row)],
  };
}

function bindInsert(table: Table, rows: readonly AnyRow[]): Bound<unknown> {
  return bind(
    WRITE_STATEMENTS[table.name].insert,
    rowParameters(table.columns.map((column) => valuesOf(column, rows))),
  );
}

function bindDelete(table: Table, rows: readonly AnyRow[]): Bound<unknown> {
  return bind(
    WRITE_STATEMENTS[table.name].delete,
    rowParameters([table.key, ...table.guard].map((column) => valuesOf(column, rows))),
  );
}

/** One statement for each group of columns; a row goes with the smallest that covers its changes. */
function bindUpdates(table: Table, changed: readonly Changed[]): Bound<unknown>[] {
  const { updates } = WRITE_STATEMENTS[table.name];
  const byGroup = updates.map((): Changed[] => []);
  for (const change of changed) byGroup[smallestGroup(table, change)]?.push(change);
  return updates.flatMap(({ group, statement }, at) => {
    const rows = byGroup[at] ?? [];
    return rows.length === 0 ? [] : [bindUpdate(table, group, statement, rows)];
  });
}

/** Groups of columns as bits, the smallest first: for each column those that hold it. */
const GROUPS_OF_COLUMNS = eachTable((table) =>
  table.columns.map((column) => ({
    property: column.property,
    groups: table.updates.reduce(
      (bits, group, at) => (group.columns.includes(column) ? bits | (1 << at) : bits),
      0,
    ),
  })),
);

/** The place of the smallest group that covers what differs. */
function smallestGroup(table: Table, { row, original }: Changed): number {
  let fitting = -1;
  for (const { property, groups } of GROUPS_OF_COLUMNS[table.name]) {
    if (row[property] !== original[property]) fitting &= groups;
  }
  if (fitting === 0) throw new Error(`the key of a row of ${table.name} cannot change`);
  return 31 - Math.clz32(fitting & -fitting);
}

function bindUpdate(
  table: Table,
  group: UpdateGroup,
  statement: WriteStatement,
  changed: readonly Changed[],
): Bound<unknown> {
  const rows = changed.map((it) => it.row);
  const originals = changed.map((it) => it.original);
  const columns = [
    valuesOf(table.key, rows),
    ...table.guard.map((column) => valuesOf(column, originals)),
    ...group.columns.map((column) => valuesOf(column, rows)),
  ];
  return bind(statement, rowParameters(columns));
}

function valuesOf(column: Column, rows: readonly AnyRow[]): unknown[] {
  return rows.map((row) => column.encode(row[column.property]));
}
