import { z } from 'zod';
import { statement, type Statement } from '../statement.ts';
import type { Column } from '../tables/column.ts';
import type { Table, UpdateGroup } from '../tables/table.ts';
import { rowSource } from './row-source.ts';

/** A statement that writes rows, whose values are `rowParameters`. */
export type WriteStatement = Statement<[values: readonly unknown[]], unknown>;

/** The statements that write one table. */
export interface Writes {
  readonly insert: WriteStatement;
  readonly delete: WriteStatement;
  readonly updates: readonly { readonly group: UpdateGroup; readonly statement: WriteStatement }[];
}

const counted = z.strictObject({ count: z.int() });
const nothing = z.strictObject({});
const asIs = (values: readonly unknown[]): readonly unknown[] => values;

/**
 * Columns of the rows: the key, then the guard's originals where there are some, then what changes.
 * Inserts take all columns, the key first.
 */
export function writesOf(table: Table): Writes {
  return {
    insert: insertStatement(table),
    delete: deleteStatement(table),
    updates: table.updates.map((group) => ({ group, statement: updateStatement(table, group) })),
  };
}

/** What a column was before, beside what it is to be. */
const before = (column: Column): Column => ({ ...column, name: `old_${column.name}` });

/** The number of rows; anything but one for each element of the first array is an error. */
function countOf(name: string): string {
  return `
    select expect_rows(count(*), cardinality($1::text[]), '${name}') as count
      from written`;
}

function insertStatement(table: Table): WriteStatement {
  const rows = rowSource(table.columns);
  const names = table.columns.map((column) => column.name);
  const onConflict = table.isShared ? `\n        on conflict (${table.key.name}) do nothing` : '';
  return statement({
    name: `insert_${table.sqlName}`,
    args: asIs,
    row: nothing,
    // It inserts every row or fails: there is nothing to count.
    sql: `
    insert into ${table.sqlName} (${names.join(', ')})
    select ${rows.values.join(', ')}
      from ${rows.from}${onConflict}`,
  });
}

function deleteStatement(table: Table): WriteStatement {
  const name = `delete_${table.sqlName}`;
  const conditions = [table.key, ...table.guard];
  const rows = rowSource(conditions.map(before));
  return statement({
    name,
    args: asIs,
    row: counted,
    sql: `
    with written as (
      delete from ${table.sqlName} t
       using ${rows.from}
       where ${conditions.map((it, at) => `t.${it.name} = ${rows.values[at]}`).join('\n         and ')}
      returning 1)${countOf(name)}`,
  });
}

function updateStatement(table: Table, group: UpdateGroup): WriteStatement {
  const name = `update_${table.sqlName}_${group.name}`;
  const conditions = [table.key, ...table.guard];
  const rows = rowSource([...conditions.map(before), ...group.columns]);
  const values = rows.values.slice(conditions.length);
  const set = group.columns.map((it, at) => `${it.name} = ${values[at]}`);
  if (table.counter !== undefined) set.push(`${table.counter} = t.${table.counter} + 1`);
  return statement({
    name,
    args: asIs,
    row: counted,
    sql: `
    with written as (
      update ${table.sqlName} t
         set ${set.join(',\n             ')}
        from ${rows.from}
       where ${conditions.map((it, at) => `t.${it.name} = ${rows.values[at]}`).join('\n         and ')}
      returning 1)${countOf(name)}`,
  });
}

/** Raises the version of runs of which something else than their row changed. */
export const raiseVersions: WriteStatement = statement({
  name: 'raiseVersions',
  args: asIs,
  row: counted,
  sql: `
    with written as (
      update runs
         set version = version + 1
       where id = any($1::text[])
      returning 1)${countOf('raiseVersions')}`,
});
