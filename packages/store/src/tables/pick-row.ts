import type { TableName, Tables } from '@baton/kernel';
import type { Table } from './table.ts';

/** The columns of one table out of a row that holds more. */
export function pickRow<T extends TableName>(
  table: Table<T>,
  row: Readonly<Record<string, unknown>>,
): Tables[T] {
  return Object.fromEntries(
    table.columns.map(({ property }) => [property, row[property]]),
  ) as unknown as Tables[T];
}
