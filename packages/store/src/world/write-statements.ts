import { z } from 'zod';
import { statement, type Statement } from '../statement.ts';
import type { Column } from '../tables/column.ts';
import type { Table, UpdateGroup } from '../tables/table.ts';

/** A statement that writes rows given as one array a column. */
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
 * All values are arrays: the key, then the guard's originals where there are some, then the columns.
 * Inserts take all columns, the key first.
 */
export function writesOf(table: Table): Writes {
  return {
    insert: insertStatement(table),
    delete: deleteStatement(table),
    updates: table.updates.map((group) => ({ group, statement: updateStatement(table, group) })),
  };
}

/** `unnest($1::text[], $2::bigint[]) as u (id, epoch)` */
function unnest(columns: readonly Column[], names: readonly string[]): string {
  const arrays = columns.map((column, at) => `$${at + 1}::${column.arrayOf}[]`);
  return `unnest(${arrays.join(', ')})\n        as u (${names.join(', ')})`;
}

/** The number of rows; anything but one for each element of the first array is an error. */
function countOf(name: string): string {
  return `
    select expect_rows(count(*), cardinality($1::text[]), '${name}') as count
      from written`;
}

function insertStatement(table: Table): WriteStatement {
  const name = `insert_${table.sqlName}`;
  const names = table.columns.map((column) => column.name);
  const values = table.columns.map((column) => column.fromElement(`u.${column.name}`));
  const onConflict = table.isShared ? `\n        on conflict (${table.key.name}) do nothing` : '';
  return statement({
    name,
    args: asIs,
    row: nothing,
    // It inserts every row or fails: there is nothing to count.
    sql: `
    insert into ${table.sqlName} (${names.join(', ')})
    select ${values.join(', ')}
      from ${unnest(table.columns, names)}${onConflict}`,
  });
}

function deleteStatement(table: Table): WriteStatement {
  const name = `delete_${table.sqlName}`;
  const columns = [table.key, ...table.guard];
  const names = columns.map((column) => `old_${column.name}`);
  return statement({
    name,
    args: asIs,
    row: counted,
    sql: `
    with written as (
      delete from ${table.sqlName} t
       using ${unnest(columns, names)}
       where ${columns.map((it) => `t.${it.name} = u.old_${it.name}`).join('\n         and ')}
      returning 1)${countOf(name)}`,
  });
}

function updateStatement(table: Table, group: UpdateGroup): WriteStatement {
  const name = `update_${table.sqlName}_${group.name}`;
  const conditions = [table.key, ...table.guard];
  const columns = [...conditions, ...group.columns];
  const names = [
    ...conditions.map((column) => `old_${column.name}`),
    ...group.columns.map((column) => column.name),
  ];
  const set = group.columns.map((it) => `${it.name} = ${it.fromElement(`u.${it.name}`)}`);
  if (table.counter !== undefined) set.push(`${table.counter} = t.${table.counter} + 1`);
  return statement({
    name,
    args: asIs,
    row: counted,
    sql: `
    with written as (
      update ${table.sqlName} t
         set ${set.join(',\n             ')}
        from ${unnest(columns, names)}
       where ${conditions.map((it) => `t.${it.name} = u.old_${it.name}`).join('\n         and ')}
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
