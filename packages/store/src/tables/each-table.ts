import type { TableName } from '@baton/kernel';
import { TABLES } from '../tables.ts';
import type { Table } from './table.ts';

/** The same made for every table, under its name. */
export function eachTable<Made>(make: (table: Table) => Made): { [T in TableName]: Made } {
  const made = Object.values(TABLES).map((table) => [table.name, make(table as Table)] as const);
  return Object.fromEntries(made) as { [T in TableName]: Made };
}
