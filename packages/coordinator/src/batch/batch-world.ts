import type {
  Change,
  ListName,
  ListRow,
  Lists,
  SlotRow,
  TableName,
  Tables,
  World,
} from '@baton/kernel';
import { LISTS, rowKey } from '@baton/kernel';
import type { RowChange } from '@baton/store';
import { runIdOf, type CachedRows, type LearnedBatch } from '../memory/run-cache.ts';

type AnyRow = Tables[TableName];

const none: readonly string[] = [];

const NOTHING: CachedRows = {
  row: () => undefined,
  list: () => undefined,
  locked: () => undefined,
};

/**
 * The rows of one batch: what was loaded, and over it what the commands before have changed.
 * Lists answer as if those changes were stored already.
 */
export class BatchWorld implements World {
  readonly #loaded = new Map<TableName, Map<string, AnyRow | null>>();
  /** What was remembered from batches before. */
  readonly #recalled = new Map<TableName, Map<string, AnyRow>>();
  readonly #changed = new Map<TableName, Map<string, AnyRow | null>>();
  /** Every row that is known, as it is by now: a batch asks for the same rows again and again. */
  readonly #now = new Map<TableName, Map<string, AnyRow | null>>();
  readonly #listed = new Map<ListName, Map<string, readonly string[]>>();
  readonly #recalledLists = new Map<ListName, Map<string, readonly string[]>>();
  /** Rows the batch made members of a list, by list and owner. */
  readonly #joined = new Map<ListName, Map<string, Set<string>>>();
  /** Members of `slotsOfWorker` as they were loaded, which are not whole rows. */
  readonly #slots = new Map<string, SlotRow>();
  readonly #cached: CachedRows;
  /** Locked runs with their versions; the version is not known where the store does not tell. */
  readonly #locked = new Map<string, number | undefined>();
  /** Rows and lists that were read without their run's lock: true now, perhaps not at the next batch. */
  readonly #readUnlocked = new Map<TableName | ListName, Set<string>>();

  constructor(cached: CachedRows = NOTHING) {
    this.#cached = cached;
  }

  /** The runs are locked: what is remembered of those that have not changed is loaded by that. */
  runsLocked(versions: ReadonlyMap<string, number>): void {
    for (const [run, version] of versions) {
      this.#locked.set(run, version);
      this.#cached.locked(run, version);
    }
  }

  /** The run is locked, at a version that the store did not tell: nothing remembered of it counts. */
  runLocked(run: string): void {
    if (!this.#locked.has(run)) this.#locked.set(run, undefined);
  }

  isLocked(run: string): boolean {
    return this.#locked.has(run);
  }

  row<T extends TableName>(table: T, id: string): Tables[T] | null | undefined {
    const known = this.#now.get(table)?.get(id);
    if (known !== undefined) return known as Tables[T] | null;
    const cached = this.#cached.row(table, id);
    if (cached !== undefined) this.#recall(table, id, cached);
    return cached;
  }

  list<L extends ListName>(list: L, id: string): readonly ListRow<L>[] | undefined {
    const base =
      this.#listed.get(list)?.get(id) ??
      (this.#isNew(list, id) ? none : this.#recalledLists.get(list)?.get(id)) ??
      this.#recallList(list, id);
    if (base === undefined) return undefined;
    const joined = this.#joined.get(list)?.get(id);
    if (base.length === 0 && joined === undefined) return [];
    const definition = LISTS[list];
    const ids = joined === undefined ? base : new Set([...base, ...joined]);
    const rows: ListRow<L>[] = [];
    for (const rowId of ids) {
      const row = list === 'slotsOfWorker' ? this.#slot(rowId) : this.row(definition.table, rowId);
      if (row === null || row === undefined) continue;
      if (definition.owners(row as never).includes(id)) rows.push(row as ListRow<L>);
    }
    return rows;
  }

  /** A row as the batch found it. */
  #stored(table: TableName, id: string): AnyRow | null | undefined {
    const loaded = this.#loaded.get(table)?.get(id);
    return loaded === undefined ? this.#recalled.get(table)?.get(id) : loaded;
  }

  #recall(table: TableName, id: string, row: AnyRow): void {
    mapOf(this.#recalled, table).set(id, row);
    this.#note(table, id, row);
  }

  /** The row is known, unless it is better known already. */
  #note(table: TableName, id: string, row: AnyRow | null): void {
    const rows = mapOf(this.#now, table);
    if (!rows.has(id)) rows.set(id, row);
  }

  #recallList(list: ListName, owner: string): readonly string[] | undefined {
    const rows = this.#cached.list(list, owner);
    if (rows === undefined) return undefined;
    const { table } = LISTS[list];
    const ids = rows.map((row) => rowKey(table, row));
    rows.forEach((row, at) => this.#recall(table, ids[at] ?? '', row));
    mapOf(this.#recalledLists, list).set(owner, ids);
    return ids;
  }

  #slot(attempt: string): SlotRow | null | undefined {
    const changed = this.#changed.get('attempts')?.get(attempt);
    return changed === undefined ? this.#slots.get(attempt) : (changed as SlotRow | null);
  }

  /** Remembers a loaded row, or that there is none. What was changed meanwhile stays. */
  putLoaded(table: TableName, id: string, row: AnyRow | null): void {
    const run = row === null ? undefined : runIdOf(table, row);
    if (run !== undefined && !this.#locked.has(run)) this.#noteUnlocked(table, id);
    this.#keep(table, id, row);
  }

  /** Remembers a loaded list with its rows. */
  putList<L extends ListName>(list: L, owner: string, rows: readonly Tables[Lists[L]][]): void {
    const { table } = LISTS[list];
    for (const row of rows) this.putLoaded(table, rowKey(table, row), row);
    const run = this.row('tasks', owner)?.runId;
    if (run !== undefined && !this.#locked.has(run)) this.#noteUnlocked(list, owner);
    this.#keepList(list, owner, rows);
  }

  /** Remembers who takes the slots of workers. What was loaded before stays. */
  putSlots(slotsOf: ReadonlyMap<string, readonly SlotRow[]>): void {
    const listed = mapOf(this.#listed, 'slotsOfWorker');
    for (const [worker, slots] of slotsOf) {
      if (listed.has(worker)) continue;
      for (const slot of slots) this.#slots.set(slot.id, slot);
      listed.set(
        worker,
        slots.map((it) => it.id),
      );
    }
  }

  /** Owners whose lists of this kind were loaded. */
  listed(list: ListName): readonly string[] {
    return [...(this.#listed.get(list)?.keys() ?? [])];
  }

  /** Lays the changes of an accepted command over what is there. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      mapOf(this.#changed, change.table).set(change.id, change.row);
      mapOf(this.#now, change.table).set(change.id, change.row);
      if (change.row !== null) this.#join(change.table, change.id, change.row);
    }
  }

  /** Runs that rows were read of and that are not locked: what was read may be of several moments. */
  unlockedRuns(): string[] {
    const runs = new Set<string>();
    for (const [table, rows] of this.#loaded) {
      for (const row of rows.values()) {
        const run = row === null ? undefined : runIdOf(table, row);
        if (run !== undefined && !this.isLocked(run)) runs.add(run);
      }
    }
    return [...runs];
  }

  /** Runs of which something was read before they were locked: it may be older than the lock. */
  runsReadUnlocked(): ReadonlySet<string> {
    const runs = new Set<string>();
    for (const [table, id] of this.#unlockedRows()) {
      const row = this.#stored(table, id) ?? null;
      const run = row === null ? undefined : runIdOf(table, row);
      if (run !== undefined) runs.add(run);
    }
    return runs;
  }

  /** Every row that differs from what was loaded. */
  writes(): RowChange[] {
    const out: RowChange[] = [];
    for (const [table, rows] of this.#changed) {
      for (const [id, row] of rows) {
        const original = this.#stored(table, id) ?? null;
        if (row !== original) out.push({ table, id, original, row } as RowChange);
      }
    }
    return out;
  }

  /** Rows of a table that the batch changed or made. */
  changed<T extends TableName>(table: T): ReadonlyMap<string, Tables[T] | null> {
    return (this.#changed.get(table) ?? new Map()) as ReadonlyMap<string, Tables[T] | null>;
  }

  /** What the batch loaded and wrote, for those that come after it. `writes` are those of `writes()`. */
  learned(writes: readonly RowChange[], changedRuns: ReadonlySet<string>): LearnedBatch {
    const versions = new Map<string, number>();
    for (const [run, version] of this.#locked)
      if (version !== undefined) versions.set(run, version);
    const newRuns = writes.filter((it) => it.table === 'runs' && it.original === null);
    return {
      versions,
      changedRuns,
      newRuns: new Set(newRuns.map((it) => it.id)),
      rows: this.#present(),
      gone: [
        ...writes.filter((it) => it.row === null).map((it) => [it.table, it.id] as const),
        ...this.#unlockedRows(),
      ],
      changes: writes,
      lists: this.#lists(),
      row: (table, id) => this.row(table, id),
      list: (list, owner) => this.list(list, owner) as readonly AnyRow[] | undefined,
    };
  }

  *#present(): Generator<readonly [TableName, string, AnyRow]> {
    for (const [table, rows] of this.#loaded) {
      const changed = this.#changed.get(table);
      for (const [id, row] of rows) {
        if (row === null || changed?.has(id) === true) continue;
        if (!this.#wasUnlocked(table, id)) yield [table, id, row];
      }
    }
    for (const [table, rows] of this.#changed) {
      for (const [id, row] of rows) {
        if (row !== null && !this.#wasUnlocked(table, id)) yield [table, id, row];
      }
    }
  }

  *#lists(): Generator<readonly [ListName, string]> {
    for (const [list, owners] of this.#listed) {
      for (const owner of owners.keys()) if (!this.#wasUnlocked(list, owner)) yield [list, owner];
    }
  }

  #unlockedRows(): (readonly [TableName, string])[] {
    return [...this.#readUnlocked].flatMap(([name, ids]) =>
      name in LISTS ? [] : [...ids].map((id) => [name as TableName, id] as const),
    );
  }

  #noteUnlocked(name: TableName | ListName, id: string): void {
    const ids = this.#readUnlocked.get(name);
    if (ids === undefined) this.#readUnlocked.set(name, new Set([id]));
    else ids.add(id);
  }

  #wasUnlocked(name: TableName | ListName, id: string): boolean {
    return this.#readUnlocked.get(name)?.has(id) === true;
  }

  #keep(table: TableName, id: string, row: AnyRow | null): void {
    const rows = mapOf(this.#loaded, table);
    if (rows.has(id)) return;
    rows.set(id, row);
    this.#note(table, id, row);
  }

  #keepList(list: ListName, owner: string, rows: readonly AnyRow[]): void {
    const { table } = LISTS[list];
    const ids = rows.map((row) => rowKey(table, row));
    rows.forEach((row, index) => this.#keep(table, ids[index] ?? '', row));
    mapOf(this.#listed, list).set(owner, ids);
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
    return (this.#stored(ownerTable, owner) ?? null) === null;
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
