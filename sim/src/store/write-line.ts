import { rowKey } from '@baton/kernel';
import { StoreError, type StoreFailure } from '@baton/store';
import type { BatchWrites, Placed, Premises } from '@baton/coordinator';
import type { EventLoop } from '../event-loop.ts';
import type { SqlSide } from '../sql/sql-side.ts';
import type { LockHolder } from './lock-table.ts';
import { idleMsMax, type Wire } from './memory-tx.ts';
import type { Ahead, SimDatabase } from './sim-database.ts';

/** What became of a write at the database. */
type Ended = { readonly placed: Placed } | { readonly failed: StoreError };

/** A batch that was decided from memory, under way as a whole. */
interface Train {
  readonly writes: BatchWrites;
  readonly ahead: Ahead;
  readonly settle: (ended: Ended) => void;
  /** Whether it was written; nobody may know. */
  isDone: boolean;
}

/** One connection. Once it is broken its answers are lost; what was sent on it may arrive nevertheless. */
interface Connection {
  readonly unanswered: Set<Train>;
  /** What the database does for it, one after the other. */
  turn: Promise<unknown>;
  isUsed: boolean;
  isBroken: boolean;
  /** False: nothing that was sent behind arrives any more. */
  isHeard: boolean;
}

/**
 * The writes of one replica that were decided from memory: they travel on one connection, behind those
 * that are not answered yet, and take effect in the order they were given. When an answer is lost nobody
 * is told what became of it, nor of any that was sent behind it.
 */
export class WriteLine {
  readonly #db: SimDatabase;
  readonly #wire: Wire;
  readonly #loop: EventLoop;
  readonly #sql: SqlSide | undefined;
  #connection = newConnection();
  /** Writes that were told to be unknown, since the last fence. */
  #unknown: Train[] = [];

  constructor(db: SimDatabase, wire: Wire, loop: EventLoop, sql?: SqlSide) {
    this.#db = db;
    this.#wire = wire;
    this.#loop = loop;
    this.#sql = sql;
  }

  /** Sends a batch; see `BatchStore.write`. */
  write(premises: Premises, writes: BatchWrites): Promise<Placed> {
    const connection = this.#connection;
    return new Promise((resolve, reject) => {
      const train: Train = {
        writes,
        ahead: { premises, afterFences: this.#db.fences },
        isDone: false,
        settle: (ended) => {
          connection.unanswered.delete(train);
          if ('placed' in ended) resolve(ended.placed);
          else reject(ended.failed);
        },
      };
      if (connection.unanswered.size > 0) this.#wire.saw('two batches were under way at once');
      connection.unanswered.add(train);
      this.#wire.send(() => {
        connection.turn = connection.turn.then(() => this.#arrive(connection, train));
      });
    });
  }

  /** At the database: all was fenced off, so that it is certain now what became of each. */
  fenced(): void {
    for (const { isDone } of this.#unknown.splice(0)) {
      this.#wire.saw(
        isDone ? 'an unknown write was found done' : 'an unknown write was found undone',
      );
    }
  }

  /** The server has noticed that nobody is there any more. */
  disconnect(): void {
    this.#connection.isBroken = true;
    this.#connection.isHeard = false;
  }

  async #arrive(connection: Connection, train: Train): Promise<void> {
    if (connection.isBroken) {
      connection.isHeard &&= this.#wire.arrivesToo();
      if (connection.isHeard) await this.#unseen(train);
      return;
    }
    if (this.#wire.isAway()) {
      if (connection.isUsed) this.#break(connection, false);
      else this.#answer(train, failed('unavailable', 'the database is away'));
      return;
    }
    connection.isUsed = true;
    const fate = this.#wire.fate();
    if (fate === 'applied') this.#answer(train, await this.#run(train));
    else if (fate === 'aborted')
      this.#answer(train, failed('retryable', 'the connection was lost'));
    else {
      this.#break(connection, fate !== 'unknown_lost');
      if (fate === 'unknown_late') await this.#loop.sleep(this.#wire.lateMs());
      if (fate !== 'unknown_lost') await this.#unseen(train);
    }
  }

  #answer(train: Train, ended: Ended): void {
    this.#wire.answer(() => train.settle(ended));
  }

  /** From here on nothing is answered. The replica learns it once, for all that it waits for. */
  #break(connection: Connection, isHeard: boolean): void {
    connection.isBroken = true;
    connection.isHeard = isHeard;
    this.#wire.answer(() => {
      if (this.#connection === connection) this.#connection = newConnection();
      for (const train of connection.unanswered) {
        this.#unknown.push(train);
        train.settle(failed('unknown_outcome', 'the connection was lost before an answer'));
      }
    });
  }

  /** Nobody hears how it ends. */
  async #unseen(train: Train): Promise<void> {
    await this.#run(train);
  }

  /** The whole transaction, at both databases or at none. */
  async #run(train: Train): Promise<Ended> {
    const sql = this.#sql;
    if (sql === undefined) return this.#inMemory(train);
    const leave = await sql.enter();
    try {
      const ended = await this.#inMemory(train);
      // What a database refuses by itself, the one in SQL knows nothing of.
      if ('failed' in ended && ended.failed.kind !== 'retryable') return ended;
      await sql.same('write', viewOf(ended), () =>
        sql.store.write(train.ahead.premises, train.writes).then(
          (placed) => viewOf({ placed }),
          (error: unknown) => viewOf({ failed: error as StoreError }),
        ),
      );
      return ended;
    } finally {
      leave();
    }
  }

  async #inMemory(train: Train): Promise<Ended> {
    const db = this.#db;
    const xid = db.newXid();
    const holder = { name: `${this.#wire.replica} ${xid}` };
    const waitsNoMore = this.#loop.after(idleMsMax, () =>
      db.locks.giveUp(holder, new StoreError('retryable', 'lock timeout', { sqlState: '55P03' })),
    );
    try {
      await this.#lock(holder, train);
      return { placed: this.#commit(holder, xid, train) };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      db.outcomes.set(xid, 'aborted');
      return { failed: error };
    } finally {
      waitsNoMore();
      db.locks.releaseAll(holder);
    }
  }

  /** In the order in which every transaction locks. */
  async #lock(holder: LockHolder, { ahead, writes }: Train): Promise<void> {
    const { locks } = this.#db;
    const { workers, runs, limitsOf } = ahead.premises;
    for (const id of [...workers.keys()].sort()) await locks.acquire(holder, `workers ${id}`);
    for (const id of [...runs.keys()].sort()) await locks.acquire(holder, `runs ${id}`);
    for (const project of limitsOf) {
      if (!locks.tryShare(holder, `limits ${project}`))
        throw new StoreError('retryable', 'limits are being changed');
    }
    // A row that is updated waits for whoever has locked it.
    for (const { table, row, original } of writes.rows) {
      if (original === null || (table !== 'limitSlots' && table !== 'joinTokens')) continue;
      await locks.acquire(holder, `${table} ${rowKey(table, row ?? original)}`);
    }
  }

  /** With all its locks held, in one instant. @throws {StoreError} */
  #commit(holder: LockHolder, xid: string, train: Train): Placed {
    const db = this.#db;
    const { ahead, writes } = train;
    const broken = db.brokenPremises(ahead.premises);
    if (broken.length > 0) {
      this.#wire.saw('a batch decided ahead was refused');
      if (ahead.afterFences < db.fences) this.#wire.saw('a late write was fenced off');
      throw new StoreError('retryable', `not as it was: ${broken.join(', ')}`, {
        sqlState: '40001',
      });
    }
    const pool = db.world
      .all('ready')
      .filter((it) => it.held === null && !db.locks.isTaken(holder, `runs ${it.runId}`));
    const placed = db.commit(this.#wire.replica, xid, writes, { pool, ahead });
    if (placed === undefined) throw new Error('a write without events');
    train.isDone = true;
    this.#wire.saw('a batch was decided ahead');
    return placed;
  }
}

function newConnection(): Connection {
  return {
    unanswered: new Set(),
    turn: Promise.resolve(),
    isUsed: false,
    isBroken: false,
    isHeard: true,
  };
}

function failed(kind: StoreFailure, why: string): Ended {
  return { failed: new StoreError(kind, why) };
}

/** What both databases must say of it. */
function viewOf(ended: Ended): unknown {
  return 'placed' in ended ? ended.placed : { failed: ended.failed.kind };
}
