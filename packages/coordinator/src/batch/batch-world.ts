import type { Change, ListName, Lists, TableName, Tables, World } from '@baton/kernel';
import { LISTS, rowKey } from '@baton/kernel';
import type { RowChange } from '@baton/store';

type AnyRow = Tables[TableName];

/**
 * The rows of one batch: what was loaded, and over it what the commands before have changed.
 * Lists answer as if those changes were stored already.
 */
export class BatchWorld implements World {
  readonly #loaded = new Map<TableName, Map<string, AnyRow | null>>();
  readonly #changed = new Map<TableName, Map<string, AnyRow | null>>();
  readonly #listed = new Map<ListName, Map<string, readonly string[]>>();
  /** Rows the batch made members of a list, by list and owner. */
  readonly #joined = new Map<ListName, Map<string, Set<string>>>();

  row<T extends TableName>(table: T, id: string): Tables[T] | null | undefined {
    const changed = this.#changed.get(table)?.get(id);
    if (changed !== undefined) return changed as Tables[T] | null;
    return this.#loaded.get(table)?.get(id) as Tables[T] | null | undefined;
  }

  list<L extends ListName>(list: L, id: string): readonly Tables[Lists[L]][] | undefined {
    const base = this.#listed.get(list)?.get(id) ?? (this.#isNew(list, id) ? [] : undefined);
    if (base === undefined) return undefined;
    const definition = LISTS[list];
    const joined = this.#joined.get(list)?.get(id);
    const ids = joined === undefined ? base : new Set([...base, ...joined]);
    const rows: Tables[Lists[L]][] = [];
    for (const rowId of ids) {
      const row = this.row(definition.table, rowId);
      if (row === null || row === undefined) continue;
      if (definition.owners(row as never).includes(id)) rows.push(row as Tables[Lists[L]]);
    }
    return rows;
  }

  /** Remembers a loaded row, or that there is none. What was changed meanwhile stays. */
  putLoaded(table: TableName, id: string, row: AnyRow | null): void {
    const rows = mapOf(this.#loaded, table);
    if (!rows.has(id)) rows.set(id, row);
  }

  /** Remembers a loaded list with its rows. */
  putList<L extends ListName>(list: L, owner: string, rows: readonly Tables[Lists[L]][]): void {
    const { table } = LISTS[list];
    for (const row of rows) this.putLoaded(table, rowKey(table, row), row);
    mapOf(this.#listed, list).set(
      owner,
      rows.map((row) => rowKey(table, row)),
    );
  }

  /** Lays the changes of an accepted command over what is there. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      mapOf(this.#changed, change.table).set(change.id, change.row);
      if (change.row !== null) this.#join(change.table, change.id, change.row);
    }
  }

  /** Every row that differs from what was loaded. */
  writes(): RowChange[] {
    const out: RowChange[] = [];
    for (const [table, rows] of this.#changed) {
      for (const [id, row] of rows) {
        const original = this.#loaded.get(table)?.get(id) ?? null;
        if (row !== original) out.push({ table, id, original, row } as RowChange);
      }
    }
    return out;
  }

  /** Rows of a table that the batch changed or made. */
  changed<T extends TableName>(table: T): ReadonlyMap<string, Tables[T] | null> {
    return (this.#changed.get(table) ?? new Map()) as ReadonlyMap<string, Tables[T] | null>;
  }

  #join(table: TableName, id: string, row: AnyRow): void {
    for (const list of listsOver(table)) {
      for (const owner of LISTS[list].owners(row as never)) {
        const owners = mapOf(this.#joined, list);
        let members = owners.get(owner);
        if (members === undefined) owners.set(owner, (members = new Set()));
        members.add(id);
      }
    }
  }

  /** Whether the list's owner was made in this batch, so that nothing stored can be on the list. */
  #isNew(list: ListName, owner: string): boolean {
    const { ownerTable } = LISTS[list];
    if (ownerTable === null) return false;
    const row = this.#changed.get(ownerTable)?.get(owner);
    if (row === undefined || row === null) return false;
    return (this.#loaded.get(ownerTable)?.get(owner) ?? null) === null;
  }
}

const listNames = Object.keys(LISTS) as ListName[];
const byTable = new Map<TableName, ListName[]>();
for (const list of listNames) {
  const { table } = LISTS[list];
  byTable.set(table, [...(byTable.get(table) ?? []), list]);
}

function listsOver(table: TableName): readonly ListName[] {
  return byTable.get(table) ?? [];
}

function mapOf<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let inner = maps.get(key);
  if (inner === undefined) maps.set(key, (inner = new Map()));
  return inner;
}
