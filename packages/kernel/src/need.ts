import type { TableName } from './rows.ts';
import type { ListName, Need } from './world.ts';

/** The need for one row. */
export function row(table: TableName, id: string): Need {
  return { kind: 'row', table, id };
}

/** The need for a list. */
export function list(name: ListName, id: string): Need {
  return { kind: 'list', list: name, id };
}

/** The needs for rows of one table, without those that are null. */
export function rows(table: TableName, ids: Iterable<string | null>): Need[] {
  const out: Need[] = [];
  for (const id of eachOnce(ids)) if (id !== null) out.push(row(table, id));
  return out;
}

/** The needs for the same list of several owners. */
export function lists(name: ListName, ids: Iterable<string>): Need[] {
  const out: Need[] = [];
  for (const id of eachOnce(ids)) out.push(list(name, id));
  return out;
}

/** Nearly always there is one id or none, and making a set would be most of the work. */
function eachOnce<Id>(ids: Iterable<Id>): Iterable<Id> {
  return Array.isArray(ids) && ids.length <= 1 ? ids : new Set(ids);
}
