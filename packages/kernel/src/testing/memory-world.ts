import { rowKey } from '../draft.ts';
import { LISTS } from '../lists.ts';
import type { TableName, Tables } from '../rows.ts';
import type { Change, ListName, ListRow, Need, World } from '../world.ts';

type AnyRow = Tables[TableName];

const listNames = Object.keys(LISTS) as ListName[];

/** All rows in memory, with every list kept by its definition: the database of the kernel's tests. */
export class MemoryWorld implements World {
  readonly #tables = new Map<TableName, Map<string, AnyRow>>();
  readonly #lists = new Map<string, Set<string>>();

  row<T extends TableName>(table: T, id: string): Tables[T] | null {
    return (this.#tables.get(table)?.get(id) ?? null) as Tables[T] | null;
  }

  list<L extends ListName>(list: L, id: string): readonly ListRow<L>[] {
    const { table } = LISTS[list];
    const ids = this.#lists.get(`${list} ${id}`) ?? new Set();
    return [...ids].map((key) => this.row(table, key) as ListRow<L>);
  }

  /** Every row of a table, in order of insertion. */
  all<T extends TableName>(table: T): Tables[T][] {
    return [...(this.#tables.get(table)?.values() ?? [])] as Tables[T][];
  }

  /** Stores what an accepted command changed. */
  apply(changes: readonly Change[]): void {
    for (const { table, id, row } of changes) {
      const before = this.#tables.get(table)?.get(id);
      if (before !== undefined) this.#index(table, id, before, 'delete');
      let rows = this.#tables.get(table);
      if (rows === undefined) this.#tables.set(table, (rows = new Map()));
      if (row === null) rows.delete(id);
      else {
        if (rowKey(table, row) !== id) throw new Error(`${table} ${id} is filed under a wrong id`);
        rows.set(id, row);
        this.#index(table, id, row, 'add');
      }
    }
  }

  #index(table: TableName, id: string, row: AnyRow, how: 'add' | 'delete'): void {
    for (const name of listNames) {
      if (LISTS[name].table !== table) continue;
      for (const owner of LISTS[name].owners(row as never)) {
        const key = `${name} ${owner}`;
        let members = this.#lists.get(key);
        if (members === undefined) this.#lists.set(key, (members = new Set()));
        members[how](id);
      }
    }
  }
}

/** A world that knows only what was asked for, as the coordinator's does; for one command. */
export class LoadedWorld implements World {
  readonly #all: MemoryWorld;
  readonly #loaded = new Set<string>();
  /** Times that something was asked for, and how much in all. */
  rounds = 0;
  loads = 0;

  constructor(all: MemoryWorld) {
    this.#all = all;
  }

  row<T extends TableName>(table: T, id: string): Tables[T] | null | undefined {
    return this.#loaded.has(`row ${table} ${id}`) ? this.#all.row(table, id) : undefined;
  }

  list<L extends ListName>(list: L, id: string): readonly ListRow<L>[] | undefined {
    return this.#loaded.has(`list ${list} ${id}`) ? this.#all.list(list, id) : undefined;
  }

  /** Loads what is needed; what comes with a list counts as loaded row by row. */
  load(needs: readonly Need[]): void {
    this.rounds += 1;
    this.loads += needs.length;
    for (const need of needs) {
      if (need.kind === 'row') this.#loaded.add(`row ${need.table} ${need.id}`);
      if (need.kind !== 'list') continue;
      this.#loaded.add(`list ${need.list} ${need.id}`);
      // The rows of this list are not whole ones.
      if (need.list === 'slotsOfWorker') continue;
      const { table } = LISTS[need.list];
      for (const row of this.#all.list(need.list, need.id)) {
        this.#loaded.add(`row ${table} ${rowKey(table, row as AnyRow)}`);
      }
    }
  }

  /** Rows that are stored and were changed without having been looked at: a write nobody could guard. */
  blindWrites(changes: readonly Change[]): string[] {
    return changes
      .filter(({ table, id }) => this.#all.row(table, id) !== null)
      .filter(({ table, id }) => !this.#loaded.has(`row ${table} ${id}`))
      .map(({ table, id }) => `${table} ${id}`);
  }
}
