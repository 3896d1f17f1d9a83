import {
  ID_PREFIXES,
  type Actor,
  type Command,
  type EventData,
  type EventType,
  type IdKind,
} from '@baton/contract';
import { invariant } from './invariant.ts';
import { LISTS } from './lists.ts';
import type { NewEvent, TableName, Tables } from './rows.ts';
import { withRun } from './rows/changed-row.ts';
import type { Change, Context, ListName, ListRow, Need, World } from './world.ts';

/** Internal signal: deciding met what is not loaded. `decide` turns it into an answer. */
export class NotLoaded extends Error {
  override readonly name = 'NotLoaded';
  needs: readonly Need[] = [];
}

// One object for all: taking the stack of an error costs more than most decisions do.
const signal = new NotLoaded('not loaded');

function notLoaded(needs: readonly Need[]): NotLoaded {
  signal.needs = needs;
  return signal;
}

/** What an event is about; the project is the command's. */
export interface About {
  readonly run: string | null;
  readonly task?: string | null;
  readonly attempt?: string | null;
}

/** What a change leads to after everything else: money was given back to a run, or a budget is spent. */
export type Deferred =
  | { readonly kind: 'funds'; readonly run: string }
  | { readonly kind: 'exhausted'; readonly budget: string; readonly attempt: string };

type AnyRow = Tables[TableName];

/**
 * The state as one command sees and leaves it: reads go through to the world, writes stay here until
 * the command is accepted. Lists answer as if what was written here were stored already.
 */
export class Draft {
  readonly context: Context;
  readonly nowMs: number;
  readonly project: string;
  readonly actor: Actor;
  readonly cause: string;
  readonly #world: World;
  readonly #written = new Map<TableName, Map<string, AnyRow | null>>();
  readonly #created = new Set<string>();
  readonly #joined = new Map<ListName, Map<string, Set<string>>>();
  readonly #indexed = new Map<TableName, readonly ListName[]>();
  readonly #events: NewEvent[] = [];
  readonly #runSeq = new Map<string, number>();
  readonly #touchedRuns = new Set<string>();
  readonly #deferred: Deferred[] = [];

  constructor(world: World, context: Context, command: Command) {
    this.#world = world;
    this.context = context;
    this.nowMs = context.nowMs;
    this.project = command.project;
    this.actor = command.actor;
    this.cause = command.type;
  }

  /** A row, or null when there is none. */
  find<T extends TableName>(table: T, id: string): Tables[T] | null {
    const found = this.#peek(table, id);
    if (found === undefined) throw notLoaded([{ kind: 'row', table, id }]);
    return found;
  }

  /** A row that must be there: what points at it says so. */
  get<T extends TableName>(table: T, id: string): Tables[T] {
    const found = this.find(table, id);
    invariant(found !== null, `${table} has no row ${id}`);
    return found;
  }

  /** A row of this command's project, or null: what lies elsewhere or was deleted does not exist for the caller. */
  own<T extends TableName>(table: T, id: string): Tables[T] | null {
    const found = this.find(table, id);
    if (found === null || found.projectId !== this.project) return null;
    const isDeleted = 'deletedAtMs' in found && found.deletedAtMs !== null;
    if (isDeleted) return null;
    // A deleted run takes its tasks with it.
    const run = table === 'tasks' ? this.find('runs', (found as Tables['tasks']).runId) : null;
    return run !== null && run.deletedAtMs !== null ? null : found;
  }

  /** The rows on a list, as they are now. */
  list<L extends ListName>(list: L, id: string): readonly ListRow<L>[] {
    const base = this.#world.list(list, id) ?? (this.#isNew(list, id) ? [] : undefined);
    if (base === undefined) throw notLoaded([{ kind: 'list', list, id }]);
    const { table, owners } = LISTS[list];
    const written = this.#written.get(table) as ReadonlyMap<string, ListRow<L> | null> | undefined;
    if (written === undefined) return base;
    const out: ListRow<L>[] = [];
    const seen = new Set<string>();
    for (const old of base) {
      const key = rowKey(table, old as AnyRow);
      seen.add(key);
      const now = written.has(key) ? written.get(key) : old;
      if (now !== null && now !== undefined && owners(now as never).includes(id)) out.push(now);
    }
    for (const key of this.#joinedOf(list).get(id) ?? []) {
      const now = written.get(key);
      if (seen.has(key) || now === null || now === undefined) continue;
      if (owners(now as never).includes(id)) out.push(now);
    }
    return out;
  }

  /** Asks for several things at once, so that what is missing of them is loaded in one round. */
  load(needs: Iterable<Need>): void {
    const missing: Need[] = [];
    for (const need of needs) if (!this.#isLoaded(need)) missing.push(need);
    if (missing.length > 0) throw notLoaded(missing);
  }

  /** Writes a row that did not exist; lists of it are known to be empty. */
  create<T extends TableName>(table: T, row: Tables[T]): void {
    this.#created.add(`${table} ${rowKey(table, row)}`);
    this.put(table, row);
  }

  /** Writes a row. */
  put<T extends TableName>(table: T, row: Tables[T]): void {
    const key = rowKey(table, row);
    this.#rowsOf(table).set(key, row);
    for (const name of this.#indexed.get(table) ?? []) this.#join(name, key, row);
  }

  /** Takes a row away. It is read first, so that whoever writes knows whether there is one to delete. */
  remove(table: TableName, id: string): void {
    if (this.find(table, id) !== null) this.#rowsOf(table).set(id, null);
  }

  /** A new public id. */
  newId(kind: IdKind): string {
    return this.context.newId(ID_PREFIXES[kind]);
  }

  /** Tells what happened; events keep the order of the calls. */
  event<T extends EventType>(type: T, about: About, data: EventData<T>): void {
    this.#events.push({
      projectId: this.project,
      runId: about.run,
      runSeq: about.run === null ? null : this.#nextSeq(about.run),
      taskId: about.task ?? null,
      attemptId: about.attempt ?? null,
      type,
      actor: this.actor,
      cause: this.cause,
      atMs: this.nowMs,
      data: data as Readonly<Record<string, unknown>>,
    });
  }

  /** Has something done once the command is decided. */
  defer(work: Deferred): void {
    this.#deferred.push(work);
  }

  /** What was deferred since this was last asked. */
  takeDeferred(): Deferred[] {
    return this.#deferred.splice(0);
  }

  /** Has the run's status looked at again once the command is decided. */
  touchRun(run: string): void {
    this.#touchedRuns.add(run);
  }

  /** Runs whose work changed, in the order they were touched. */
  get touchedRuns(): readonly string[] {
    return [...this.#touchedRuns];
  }

  /** What the command leads to. Runs with events get their new `seq`. */
  result(): { readonly changes: readonly Change[]; readonly events: readonly NewEvent[] } {
    for (const [id, seq] of this.#runSeq) {
      this.put('runs', withRun(this.get('runs', id), { seq, updatedAtMs: this.nowMs }));
    }
    const changes: Change[] = [];
    for (const [table, written] of this.#written) {
      for (const [id, row] of written) {
        const isNeverStored = row === null && this.#created.has(`${table} ${id}`);
        if (!isNeverStored) changes.push({ table, id, row } as Change);
      }
    }
    return { changes, events: this.#events };
  }

  #peek<T extends TableName>(table: T, id: string): Tables[T] | null | undefined {
    const written = this.#written.get(table)?.get(id);
    return written === undefined ? this.#world.row(table, id) : (written as Tables[T] | null);
  }

  #isLoaded(need: Need): boolean {
    switch (need.kind) {
      case 'row':
        return this.#peek(need.table, need.id) !== undefined;
      case 'list':
        return (
          this.#world.list(need.list, need.id) !== undefined || this.#isNew(need.list, need.id)
        );
      case 'validation':
        return this.context.violations(need.schema, need.data) !== undefined;
      case 'schema':
        return this.context.schemaFault(need.schema) !== undefined;
    }
  }

  #isNew(list: ListName, owner: string): boolean {
    const { ownerTable } = LISTS[list];
    return ownerTable !== null && this.#created.has(`${ownerTable} ${owner}`);
  }

  #nextSeq(run: string): number {
    const seq = (this.#runSeq.get(run) ?? this.get('runs', run).seq) + 1;
    this.#runSeq.set(run, seq);
    return seq;
  }

  #rowsOf(table: TableName): Map<string, AnyRow | null> {
    let rows = this.#written.get(table);
    if (rows === undefined) this.#written.set(table, (rows = new Map()));
    return rows;
  }

  /** Written rows by the lists they are on. Made for a list when it is first read, then kept. */
  #joinedOf(list: ListName): Map<string, Set<string>> {
    let joined = this.#joined.get(list);
    if (joined === undefined) {
      this.#joined.set(list, (joined = new Map()));
      const { table } = LISTS[list];
      this.#indexed.set(table, [...(this.#indexed.get(table) ?? []), list]);
      for (const [key, row] of this.#rowsOf(table)) if (row !== null) this.#join(list, key, row);
    }
    return joined;
  }

  #join(list: ListName, key: string, row: AnyRow): void {
    const joined = this.#joinedOf(list);
    for (const owner of LISTS[list].owners(row as never)) {
      const members = joined.get(owner);
      if (members === undefined) joined.set(owner, new Set([key]));
      else members.add(key);
    }
  }
}

/** What a row is known by in its table. */
export function rowKey(table: TableName, row: AnyRow): string {
  if (table === 'taskSpecs' || table === 'ready') return (row as Tables['ready']).taskId;
  return (row as Exclude<AnyRow, Tables['ready'] | Tables['taskSpecs']>).id;
}
