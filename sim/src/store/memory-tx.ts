import { DEFAULTS } from '@baton/contract';
import {
  SEQ_PER_MS,
  type LimitSlotRow,
  type ReadyRow,
  type TableName,
  type Tables,
} from '@baton/kernel';
import { idempotencyId, StoreError, type BatchNames } from '@baton/store';
import type { BatchTx, BatchWrites, Candidates, Opened, Placed } from '@baton/coordinator';
import type { EventLoop } from '../event-loop.ts';
import type { Situation } from '../sometimes.ts';
import type { SqlTx } from '../sql/sql-side.ts';
import type { SimDatabase } from './sim-database.ts';

/** A server ends what waits for a lock, or does nothing in a transaction, for this long. */
export const idleMsMax = 5_000;

/** Heads of one class that are looked at for what has risen. */
const risenPerClass = 2;

/** How a COMMIT that nothing speaks against ends. */
export type CommitFate =
  | 'applied'
  /** The connection is lost before COMMIT arrives: nothing is done, and the caller knows. */
  | 'aborted'
  /** The answer is lost: done, or not done, or done a while later. */
  | 'unknown_applied'
  | 'unknown_lost'
  | 'unknown_late';

/** The way to the database and back, with all that can go wrong on it. */
export interface Wire {
  readonly replica: string;
  /** Runs `work` at the database and brings the answer; never settles when the caller is dead. */
  call<T>(work: () => T | Promise<T>): Promise<T>;
  readonly fate: () => CommitFate;
  /** How late a late COMMIT is. */
  readonly lateMs: () => number;
  /** A way to the database on which everything keeps its order, and one back. */
  readonly send: (arrive: () => void) => void;
  readonly answer: (settle: () => void) => void;
  /** Whether what was sent behind a COMMIT that was not answered arrives as well. */
  readonly arrivesToo: () => boolean;
  readonly isAway: () => boolean;
  readonly saw: (situation: Situation) => void;
}

/** A transaction in memory. Calls take effect in the order they are made. */
export class MemoryTx implements BatchTx {
  readonly name: string;
  readonly #db: SimDatabase;
  readonly #wire: Wire;
  readonly #loop: EventLoop;
  readonly #xid: string;
  #queue: Promise<unknown> = Promise.resolve();
  #failure: StoreError | undefined;
  #isOver = false;
  #isCommitting = false;
  #usedAtMs: number;
  #pool: readonly ReadyRow[] | undefined;
  readonly #sql: { readonly tx: SqlTx; readonly leave: () => void } | undefined;

  /** `sql`: the same transaction at a database in SQL; `leave` lets the next one have its turn there. */
  constructor(
    db: SimDatabase,
    wire: Wire,
    loop: EventLoop,
    sql?: { readonly tx: SqlTx; readonly leave: () => void },
  ) {
    this.#sql = sql;
    this.#db = db;
    this.#wire = wire;
    this.#loop = loop;
    this.#xid = db.newXid();
    this.name = `${wire.replica} ${this.#xid}`;
    this.#usedAtMs = loop.nowMs;
    this.#watch();
  }

  open(names: BatchNames): Promise<Opened> {
    return this.#call(async () => {
      const { world } = this.#db;
      for (const key of names.idempotency.map(idempotencyId).sort()) await this.#lock(`key ${key}`);
      for (const id of [...(names.limitsOf ?? [])].sort()) await this.#lock(`limits ${id}`);
      for (const id of [...names.joinTokens].sort()) await this.#lock(`joinTokens ${id}`);
      const named = names.workerNames.flatMap((it) => world.list('workerByName', it));
      const workers = new Set([...names.workers, ...named.map((it) => it.id)]);
      for (const id of [...workers].sort()) await this.#lock(`workers ${id}`);
      const runs = new Set<string>();
      for (const table of ['tasks', 'attempts', 'checkpoints', 'timers'] as const) {
        for (const id of names[table]) {
          const row = world.row(table, id);
          if (row !== null) runs.add(row.runId);
        }
      }
      const repeated = new Map(
        names.idempotency.flatMap((it) => {
          const id = idempotencyId(it);
          const reply = this.#db.idempotency.get(id);
          return reply === undefined ? [] : [[id, reply] as const];
        }),
      );
      const opened = {
        nowMs: this.#db.nowMs(),
        runs: [...runs].sort(),
        repeated,
        workers: this.#db.changesOf([...workers]),
      };
      await this.#same('open', opened, (tx) => tx.open(names));
      return opened;
    });
  }

  lockRuns(runs: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#call(async () => {
      for (const id of runs) await this.#lock(`runs ${id}`);
      const versions = this.#db.versionsOf(runs);
      await this.#same('lockRuns', versions, (tx) => tx.lockRuns(runs));
      return versions;
    });
  }

  lockCandidates(
    project: string,
    needsIds: readonly string[],
    limitPerNeeds: number,
  ): Promise<Candidates> {
    return this.#call(async () => {
      const rows = this.#db.world.list('readyOfProject', project).toSorted(this.#db.queueOrder);
      this.#pool = rows.filter((it) => needsIds.includes(it.needsId) && this.#isFree(it));
      const found: ReadyRow[] = [];
      for (const needsId of needsIds) {
        let left = limitPerNeeds;
        for (const row of rows) {
          if (left === 0) break;
          if (row.needsId !== needsId) continue;
          if (!this.#tryTake(row)) continue;
          found.push(row);
          left -= 1;
        }
      }
      const versions = this.#db.versionsOf(found.map((row) => row.runId));
      const candidates = { rows: found.sort(this.#db.queueOrder), versions };
      await this.#same('lockCandidates', candidates, (tx) =>
        tx.lockCandidates(project, needsIds, limitPerNeeds),
      );
      return candidates;
    });
  }

  seeQueue(
    project: string,
    needsIds: readonly string[],
    limitPerNeeds: number,
  ): Promise<readonly ReadyRow[]> {
    return this.#call(async () => {
      const rows = this.#db.world.list('readyOfProject', project).toSorted(this.#db.queueOrder);
      const heads = needsIds.flatMap((id) =>
        rows.filter((it) => it.needsId === id).slice(0, limitPerNeeds),
      );
      const found = heads.sort(this.#db.queueOrder);
      await this.#same('seeQueue', found, (tx) => tx.seeQueue(project, needsIds, limitPerNeeds));
      return found;
    });
  }

  /** Heads of the lower classes: those of them that have waited for a class or more. */
  lockRisen(
    project: string,
    needsIds: readonly string[],
    nowMs: number,
  ): Promise<readonly ReadyRow[]> {
    return this.#call(async () => {
      const beforeSeq = Math.floor((nowMs - DEFAULTS.agingMinutes * 60_000) * SEQ_PER_MS);
      const rows = this.#db.world.list('readyOfProject', project).toSorted(this.#db.queueOrder);
      const left = new Map<string, number>();
      const found: ReadyRow[] = [];
      for (const row of rows) {
        if (row.priority === 0 || !needsIds.includes(row.needsId)) continue;
        const queue = `${row.needsId} ${row.priority}`;
        const more = left.get(queue) ?? risenPerClass;
        if (more === 0 || !this.#tryTake(row)) continue;
        left.set(queue, more - 1);
        if (row.seq < beforeSeq) found.push(row);
      }
      await this.#same('lockRisen', found, (tx) => tx.lockRisen(project, needsIds, nowMs));
      return found;
    });
  }

  lockFreeSlots(project: string, limitPerKey: number): Promise<readonly LimitSlotRow[]> {
    return this.#call(async () => {
      if (!this.#db.locks.tryShare(this, `limits ${project}`))
        throw new StoreError('retryable', 'limits are being changed');
      const left = new Map<string, number>();
      const found: LimitSlotRow[] = [];
      const free = this.#db.world.list('freeSlotsOfProject', project);
      for (const slot of free.toSorted((a, b) => a.no - b.no)) {
        const more = left.get(slot.limitId) ?? limitPerKey;
        if (more === 0 || !this.#db.locks.tryAcquire(this, `limitSlots ${slot.id}`)) continue;
        left.set(slot.limitId, more - 1);
        found.push(slot);
      }
      await this.#same('lockFreeSlots', byId(found), async (tx) =>
        byId(await tx.lockFreeSlots(project, limitPerKey)),
      );
      return found;
    });
  }

  loadRows<T extends TableName>(
    table: T,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Tables[T]>> {
    return this.#call(async () => {
      const found = new Map<string, Tables[T]>();
      for (const id of ids) {
        const row = this.#db.world.row(table, id);
        if (row !== null) found.set(id, row);
      }
      await this.#same(`rows of ${table}`, found, (tx) => tx.loadRows(table, ids));
      return found;
    });
  }

  loadList: BatchTx['loadList'] = (list, owners) =>
    this.#call(async () => {
      const found = new Map(
        owners.map((owner) => {
          const rows = this.#db.world.list(list, owner);
          return [owner, new Map(rows.map((row) => [keyOf(row), row]))] as const;
        }),
      );
      await this.#same(list, found, (tx) => tx.loadList(list, owners));
      return found as never;
    });

  loadSlots: BatchTx['loadSlots'] = (workers) =>
    this.#call(() => new Map(workers.map((id) => [id, this.#db.world.list('slotsOfWorker', id)])));

  commit(writes: BatchWrites): Promise<Placed | undefined> {
    const xid = this.#xid;
    return this.#call(async () => {
      this.#isCommitting = true;
      const fate = this.#wire.fate();
      if (fate === 'aborted') throw this.#fail('the connection was lost');
      if (fate === 'applied') {
        try {
          return await this.#apply(writes);
        } finally {
          this.#end();
        }
      }
      const unknown = new StoreError('unknown_outcome', 'COMMIT was not answered', { xid });
      if (fate === 'unknown_lost') this.#end();
      else if (fate === 'unknown_applied') await this.#applyUnseen(writes);
      else this.#loop.after(this.#wire.lateMs(), () => void this.#applyUnseen(writes));
      throw unknown;
    });
  }

  async rollback(): Promise<void> {
    // Behind COMMIT there is nothing left to undo.
    if (this.#isOver || this.#isCommitting) return;
    await this.#wire.call(() => this.#end());
  }

  /** The server drops the connection: everything is undone, everything later is refused. */
  abort(why: string): void {
    if (this.#isOver) return;
    this.#failure ??= new StoreError('retryable', why);
    this.#end();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** A COMMIT that arrived and whose answer did not: nobody hears of an error either. */
  async #applyUnseen(writes: BatchWrites): Promise<void> {
    if (this.#isOver) return;
    try {
      await this.#apply(writes);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#end();
    }
  }

  /** Both databases commit, in one instant, or none does. */
  async #apply(writes: BatchWrites): Promise<Placed | undefined> {
    const place = this.#db.commit(this.#wire.replica, this.#xid, writes, { pool: this.#pool });
    const sql = this.#sql;
    this.#isOver = true;
    if (sql !== undefined) await sql.tx.commit(writes, () => place);
    this.#letGo();
    sql?.leave();
    return place;
  }

  #same(
    what: string,
    wanted: unknown,
    ask: (tx: SqlTx['plain']) => Promise<unknown>,
  ): Promise<void> {
    return this.#sql === undefined ? Promise.resolve() : this.#sql.tx.ask(what, wanted, ask);
  }

  #call<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#queue.then(() =>
      this.#wire.call(async () => {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#isOver) throw new Error('the transaction has ended');
        this.#usedAtMs = this.#loop.nowMs;
        try {
          return await work();
        } catch (error) {
          if (error instanceof StoreError) this.#failure ??= error;
          throw error;
        } finally {
          this.#usedAtMs = this.#loop.nowMs;
        }
      }),
    );
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Locks both rows, or none of them. */
  #tryTake(row: ReadyRow): boolean {
    return this.#isFree(row) && keysOf(row).every((key) => this.#db.locks.tryAcquire(this, key));
  }

  #isFree(row: ReadyRow): boolean {
    return !keysOf(row).some((key) => this.#db.locks.isTaken(this, key));
  }

  #lock(key: string): Promise<void> {
    return this.#db.locks.acquire(this, key);
  }

  #fail(why: string): StoreError {
    this.#failure ??= new StoreError('retryable', why);
    this.#end();
    return this.#failure;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#letGo();
    void this.#sql?.tx.rollback().then(this.#sql.leave);
  }

  #letGo(): void {
    if (this.#db.outcomes.get(this.#xid) === 'in_progress')
      this.#db.outcomes.set(this.#xid, 'aborted');
    this.#db.locks.releaseAll(this);
  }

  /** `lock_timeout` and `idle_in_transaction_session_timeout`. */
  #watch(): void {
    this.#loop.after(this.#usedAtMs + idleMsMax - this.#loop.nowMs, () => {
      if (this.#isOver) return;
      if (this.#loop.nowMs - this.#usedAtMs < idleMsMax) {
        this.#watch();
        return;
      }
      const error = new StoreError('retryable', 'lock or idle timeout', { sqlState: '55P03' });
      this.#failure ??= error;
      this.#db.locks.giveUp(this, error);
      this.#end();
    });
  }
}

function byId<T extends { readonly id: string }>(rows: readonly T[]): Map<string, T> {
  return new Map(rows.map((row) => [row.id, row]));
}

/** What a claim of a row locks. */
function keysOf({ taskId, runId }: ReadyRow): string[] {
  return [`ready ${taskId}`, `runs ${runId}`];
}

function keyOf(row: Tables[TableName]): string {
  return 'id' in row ? row.id : (row as Tables['taskSpecs']).taskId;
}
