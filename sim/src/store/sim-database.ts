import { rowKey, type NewEvent, type ReadyRow, type Tables } from '@baton/kernel';
import { MemoryWorld } from '@baton/kernel/testing';
import {
  idempotencyId,
  StoreError,
  TABLES,
  type IdempotentReply,
  type RowChange,
  type TransactionOutcome,
} from '@baton/store';
import type { BatchWrites, FeedState, Placed, Premises } from '@baton/coordinator';
import type { EventLoop } from '../event-loop.ts';
import { LockTable } from './lock-table.ts';

/** An event as the feed keeps it. */
export interface StoredEvent {
  readonly pos: number;
  readonly event: NewEvent;
}

/** A run or a task that is to be purged. `task` null: the whole run. */
export interface Purgeable {
  readonly project: string;
  readonly run: string;
  readonly task: string | null;
}

/** A batch that was decided from memory, as it is written. */
export interface Ahead {
  readonly premises: Premises;
  /** How often writes had been fenced off when it was given. */
  readonly afterFences: number;
}

/** One committed transaction, as the checks see it: before and after it is laid over the world. */
export interface Commit {
  /** Counts commits from 1. */
  readonly number: number;
  readonly xid: string;
  readonly replica: string;
  readonly firstPos: number;
  readonly writes: readonly RowChange[];
  readonly events: readonly NewEvent[];
  /** The batch's time, by the database's clock. */
  readonly nowMs: number;
  /** What was claimable and free when the batch looked for work; undefined when it did not look. */
  readonly pool: readonly ReadyRow[] | undefined;
  /** Runs of which anything changed. */
  readonly changedRuns: ReadonlySet<string>;
  readonly incarnation: number;
  /** How the end of the feed is marked behind it, when it tells events. */
  readonly mark: string;
  /** How often writes have been fenced off. */
  readonly fences: number;
  /** What it took for granted; undefined when it was decided under its locks. */
  readonly ahead: Ahead | undefined;
}

/** What a write takes for granted. */
export type Premise = 'workers' | 'runs' | 'incarnation' | 'place' | 'mark';

/** What else is known of a commit. */
interface About {
  readonly pool?: readonly ReadyRow[] | undefined;
  readonly ahead?: Ahead | undefined;
}

/** Looks at each commit; what it finds wrong it reports itself. */
export interface CommitWatcher {
  before(commit: Commit, world: MemoryWorld): void;
  after(commit: Commit, world: MemoryWorld): void;
  /** Something of a run was changed by no batch. */
  changed?(run: string): void;
}

/** Text in a run's goal that the database refuses, as a value that no column can hold would be. */
export const POISON = 'poison';

/**
 * The database in memory, with the semantics that the coordinator relies on: row locks, statements that
 * read what is committed, conditional writes, transactions that end in one of several ways, its own clock.
 */
export class SimDatabase {
  readonly world = new MemoryWorld();
  readonly locks = new LockTable();
  /** The feed as it is read. What was purged keeps its place and says nothing. */
  readonly feed: StoredEvent[] = [];
  /** The feed as it was written. */
  readonly written: StoredEvent[] = [];
  /** Ids of runs and tasks of which everything was taken away. */
  readonly purged = new Set<string>();
  readonly idempotency = new Map<string, IdempotentReply>();
  readonly outcomes = new Map<string, TransactionOutcome>();
  /** Number of this history; the feed's cursors carry it. */
  incarnation = 1;
  commits = 0;
  /** Given to the end of the feed by the last commit that told events, or by the last fence. */
  mark = '';
  /** How often writes that were under way were to be fenced off. */
  fences = 0;
  /** Commits that a condition of a write refused. */
  refusedWrites = 0;
  /** False: a spoilt database, whose feed takes the times as they come. */
  keepsTimeInOrder = true;
  /** In which order the queue is read. A spoilt database has another one. */
  queueOrder: (a: ReadyRow, b: ReadyRow) => number = inQueueOrder;
  /** What of the premises of a write is checked. A spoilt database leaves something out. */
  readonly checked = { runs: true, place: true };
  /** False: a spoilt database, which fences nothing off. */
  fencesOff = true;
  /** More than 0: a spoilt database, which finds timers before their time. */
  timersAheadMs = 0;
  /** Nobody reaches the database before this instant of virtual time. */
  awayUntilMs = 0;
  /** What the database's clock is off by. */
  clockOffsetMs = 0;
  /** How many commits changed anything of a run since it was made. */
  readonly #versions = new Map<string, number>();
  /** How often the row of a worker was changed. */
  readonly #changes = new Map<string, number>();
  readonly #loop: EventLoop;
  readonly #watcher: CommitWatcher;
  #xid = 0;
  #lastAtMs = 0;

  constructor(loop: EventLoop, watcher: CommitWatcher) {
    this.#loop = loop;
    this.#watcher = watcher;
  }

  /** The database's clock, whole epoch milliseconds. */
  nowMs(): number {
    return Math.floor(this.#loop.nowMs + this.clockOffsetMs);
  }

  newXid(): string {
    const xid = String(++this.#xid);
    this.outcomes.set(xid, 'in_progress');
    return xid;
  }

  /** Checks what SQL would check, then lays everything over the world as one. @throws {StoreError} */
  commit(
    replica: string,
    xid: string,
    writes: BatchWrites,
    { pool, ahead }: About = {},
  ): Placed | undefined {
    for (const write of writes.rows) this.#check(write);
    for (const key of writes.idempotent) this.#checkKey(idempotencyId(key));
    const firstPos = this.feed.length + 1;
    this.commits += 1;
    this.#lastAtMs = Math.max(this.#lastAtMs, ...writes.events.map((event) => event.atMs));
    const events = this.keepsTimeInOrder
      ? writes.events.map((event) => ({ ...event, atMs: this.#lastAtMs }))
      : writes.events;
    const commit: Commit = {
      number: this.commits,
      xid,
      replica,
      firstPos,
      writes: writes.rows,
      events,
      nowMs: writes.nowMs,
      pool,
      changedRuns: writes.changedRuns,
      incarnation: this.incarnation,
      mark: writes.mark,
      fences: this.fences,
      ahead,
    };
    this.#watcher.before(commit, this.world);
    this.world.apply(writes.rows.filter((it) => !this.#isKept(it)) as never);
    for (const run of writes.changedRuns) this.#raise(run);
    for (const { table, id, row, original } of writes.rows) {
      if (table === 'workers' && original !== null && row !== null)
        this.#changes.set(id, this.#changesOf(id) + 1);
    }
    for (const it of writes.idempotent) {
      this.idempotency.set(idempotencyId(it), { requestSha256: it.requestSha256, reply: it.reply });
    }
    if (events.length > 0) this.mark = writes.mark;
    events.forEach((event, index) => {
      this.feed.push({ pos: firstPos + index, event });
      this.written.push({ pos: firstPos + index, event });
    });
    this.outcomes.set(xid, 'committed');
    this.#watcher.after(commit, this.world);
    return events.length === 0
      ? undefined
      : { pos: firstPos, atMs: this.#lastAtMs, feed: this.feedState() };
  }

  /** The end of the feed. */
  feedState(): FeedState {
    return { nextPos: this.feed.length + 1, incarnation: this.incarnation, mark: this.mark };
  }

  /** Nothing that was given to be written before comes through any more. */
  fence(mark: string): FeedState {
    this.fences += 1;
    if (this.fencesOff) this.mark = mark;
    return this.feedState();
  }

  /** What of the premises of a write does not hold; its locks are held. */
  brokenPremises({ feed, runs, workers }: Premises): Premise[] {
    const now = this.feedState();
    const versions = this.versionsOf([...runs.keys()]);
    const changes = this.changesOf([...workers.keys()]);
    const isOther = (known: ReadonlyMap<string, number>, is: ReadonlyMap<string, number>) =>
      [...known].some(([id, count]) => is.get(id) !== count);
    const broken: Premise[] = [];
    if (isOther(workers, changes)) broken.push('workers');
    if (this.checked.runs && isOther(runs, versions)) broken.push('runs');
    if (now.incarnation !== feed.incarnation) broken.push('incarnation');
    if (this.checked.place && now.nextPos !== feed.nextPos) broken.push('place');
    if (this.checked.place && now.mark !== feed.mark) broken.push('mark');
    return broken;
  }

  /** How often the rows of those workers were changed that there are. */
  changesOf(workers: readonly string[]): Map<string, number> {
    const known = workers.filter((id) => this.world.row('workers', id) !== null);
    return new Map(known.map((id) => [id, this.#changesOf(id)]));
  }

  /** Begins another history, unless somebody did. */
  raiseIncarnation(from: number, to: number): number {
    if (this.incarnation === from) this.incarnation = Math.max(from, to);
    return this.incarnation;
  }

  raiseVersion(run: string): void {
    this.#raise(run);
    this.#watcher.changed?.(run);
  }

  /** Versions of those runs that there are. */
  versionsOf(runs: readonly string[]): Map<string, number> {
    const known = runs.filter((id) => this.world.row('runs', id) !== null);
    return new Map(known.map((id) => [id, this.#versionOf(id)]));
  }

  #changesOf(worker: string): number {
    return this.#changes.get(worker) ?? 0;
  }

  #raise(run: string): void {
    this.#versions.set(run, this.#versionOf(run) + 1);
  }

  #versionOf(run: string): number {
    return this.#versions.get(run) ?? 0;
  }

  /** `on conflict do nothing`, for tables whose rows are the same whoever makes them. */
  #isKept({ table, id, original }: RowChange): boolean {
    return original === null && TABLES[table].isShared && this.world.row(table, id) !== null;
  }

  #check({ table, id, row, original }: RowChange): void {
    const now = this.world.row(table, id);
    if (original === null) {
      if (now !== null && !TABLES[table].isShared) throw duplicate(table, id);
      if (table === 'workers' && row !== null) this.#checkName(row as Tables['workers']);
      if (table === 'runs' && JSON.stringify(row).includes(`"${POISON}`)) {
        throw new StoreError('data', `insert_${table}: a value that cannot be stored`);
      }
      return;
    }
    const guard = TABLES[table].guard.map((it) => it.property as keyof typeof original);
    const isSame = now !== null && guard.every((it) => now[it] === original[it]);
    if (!isSame) {
      this.refusedWrites += 1;
      throw new StoreError('retryable', `${table} ${id} is not as it was`);
    }
    if (row !== null && rowKey(table, row) !== id)
      throw new Error(`${table} ${id} changed its key`);
  }

  /** Who holds no lock on a key may find that somebody else was first. */
  #checkKey(id: string): void {
    if (!this.idempotency.has(id)) return;
    this.refusedWrites += 1;
    throw new StoreError('retryable', `key ${id} has its first answer`, { sqlState: '40001' });
  }

  #checkName(worker: Tables['workers']): void {
    const same = this.world.list('workerByName', `${worker.projectId}/${worker.name}`);
    if (same.length > 0) throw duplicate('workers', worker.name);
  }
}

function inQueueOrder(a: ReadyRow, b: ReadyRow): number {
  return a.priority - b.priority || a.pass - b.pass || a.seq - b.seq;
}

function duplicate(table: string, key: string): StoreError {
  return new StoreError('data', `insert_${table}: ${key} is there already`, { sqlState: '23505' });
}
