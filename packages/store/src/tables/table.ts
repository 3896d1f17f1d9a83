import type { TableName, Tables } from '@baton/kernel';
import { z } from 'zod';
import { columnOf, type Column, type ColumnType, type ColumnTypeOf } from './column.ts';

/** A kernel table as data: what its statements are made from. */
export interface Table<T extends TableName = TableName> {
  readonly name: T;
  readonly sqlName: string;
  /** The property and column that a row is known by. */
  readonly key: Column;
  /** All columns, the key first. */
  readonly columns: readonly Column[];
  /** Groups of columns that change together, the smallest first; the last one is all but the key. */
  readonly updates: readonly UpdateGroup[];
  /** Columns whose original value a change is conditional on. */
  readonly guard: readonly Column[];
  /** True for tables whose rows are inserted and deleted, never updated. */
  readonly isQueue: boolean;
  /** True when two batches may insert the same row with the same content. */
  readonly isShared: boolean;
  /** Column that counts a row's updates, where the table has one; not part of the row. */
  readonly counter: string | undefined;
  /** Every column under the name of its property, for a select list; `alias.` in front. */
  readonly select: (alias: string) => string;
  /** A row as `select` gives it, and its properties, for rows that hold more. */
  readonly row: z.ZodType<Tables[T]>;
  readonly shape: z.ZodRawShape;
}

export interface UpdateGroup {
  readonly name: string;
  readonly columns: readonly Column[];
}

type Property<T extends TableName> = keyof Tables[T] & string;

/** What a table is declared with. Types of columns are checked against the kernel's row. */
export interface TableDeclaration<T extends TableName> {
  readonly sqlName: string;
  readonly key: Property<T>;
  readonly columns: {
    readonly [P in Property<T>]: ColumnTypeOf<P, Tables[T][P]>;
  };
  readonly updates?: Readonly<Record<string, readonly Property<T>[]>>;
  readonly guard?: readonly Property<T>[];
  readonly isQueue?: true;
  readonly isShared?: true;
  readonly counter?: string;
}

/** Makes the table of a declaration. @throws {TypeError} when it names a column it does not have */
export function defineTable<T extends TableName>(name: T, declared: TableDeclaration<T>): Table<T> {
  const types = Object.entries(declared.columns) as [string, ColumnType][];
  const all = types.map(([property, type]) => columnOf(property, type));
  const column = (property: string): Column => {
    const found = all.find((it) => it.property === property);
    if (found === undefined) throw new TypeError(`${name} has no column for ${property}`);
    return found;
  };
  const key = column(declared.key);
  const others = all.filter((it) => it !== key);
  const columns = [key, ...others];
  const groups = Object.entries<readonly string[]>(declared.updates ?? {}).map(
    ([group, properties]) => ({ name: group, columns: properties.map(column) }),
  );
  const shape = Object.fromEntries(columns.map((it) => [it.property, it.schema]));
  return {
    name,
    sqlName: declared.sqlName,
    key,
    columns,
    updates: [...groups, { name: 'whole', columns: others }],
    guard: (declared.guard ?? []).map(column),
    isQueue: declared.isQueue === true,
    isShared: declared.isShared === true,
    counter: declared.counter,
    select: (alias) =>
      columns.map((it) => `${alias}.${it.name} as "${it.property}"`).join(',\n      '),
    row: z.strictObject(shape) as unknown as z.ZodType<Tables[T]>,
    shape,
  };
}
