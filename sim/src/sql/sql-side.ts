import { createSqlStore, type BatchTx, type CoordinatorStore } from '@baton/coordinator';
import type { TableName } from '@baton/kernel';
import {
  createReads,
  listPurgeable,
  purgeStep,
  statement,
  TABLES,
  type AdminSession,
  type Bound,
  type Db,
  type Purgeable,
  type Queries,
  type Reads,
  type Tx,
} from '@baton/store';
import { z } from 'zod';
import type { EventLoop } from '../event-loop.ts';
import type { FaultList } from '../faults-found.ts';
import type { SimDatabase } from '../store/sim-database.ts';
import { canonical, firstDifference } from './canonical.ts';

/** What looks at the database's clock. */
const READ_CLOCK: ReadonlySet<string> = new Set([
  'open',
  'feedHead',
  'listExpiredLeases',
  'listDueTimers',
  'listWorkersToSweep',
]);

/** Rows that one statement of the sweep takes away: all there are. */
const purgedRowsMax = 100_000;

/**
 * The database in SQL beside the one in memory: what is asked of the one is asked of the other, and both
 * must answer the same, then and at every commit. It has one connection, so whoever comes second waits,
 * in virtual time; while it works no virtual time passes.
 */
export class SqlSide {
  readonly store: CoordinatorStore;
  readonly reads: Reads;
  readonly #loop: EventLoop;
  readonly #db: SimDatabase;
  readonly #faults: FaultList;
  readonly #admin: AdminSession;
  /** How often what was asked. */
  readonly asked = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();

  constructor(
    admin: AdminSession,
    loop: EventLoop,
    db: SimDatabase,
    faults: FaultList,
    spoil: (store: CoordinatorStore) => CoordinatorStore = (store) => store,
  ) {
    this.#admin = admin;
    this.#loop = loop;
    this.#db = db;
    this.#faults = faults;
    const sql = plainDb(admin);
    this.store = spoil(createSqlStore(sql));
    this.reads = createReads(sql);
  }

  /** Waits until nobody else is at it. Answers what lets the next one in. */
  async enter(): Promise<() => void> {
    const before = this.#last;
    let leave = (): void => undefined;
    this.#last = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    return leave;
  }

  /** One read beside a transaction; it waits for that. */
  async read<T>(find: () => T, what: string, ask: () => Promise<unknown>): Promise<T> {
    const leave = await this.enter();
    try {
      const wanted = find();
      await this.same(what, wanted, ask);
      return wanted;
    } finally {
      leave();
    }
  }

  /** Asks, and holds the answer against what it should be. */
  async same(what: string, wanted: unknown, ask: () => Promise<unknown>): Promise<void> {
    this.asked.set(what, (this.asked.get(what) ?? 0) + 1);
    const found = await this.#loop.io(async () => {
      if (READ_CLOCK.has(what)) await this.#admin.query(setClock, this.#db.nowMs());
      return ask();
    });
    const difference = firstDifference(wanted, found);
    if (difference !== null) this.#faults.report('same-as-sql', `${what}: ${difference}`);
  }

  /** A transaction at the database in SQL, whose turn it is. */
  async begin(): Promise<SqlTx> {
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let done: Promise<void> = Promise.resolve();
    const tx = await this.#loop.io(
      () =>
        new Promise<BatchTx>((resolve, reject) => {
          done = this.store
            .transaction((it) => {
              resolve(it);
              return finished;
            })
            .catch(reject);
        }),
    );
    return {
      plain: tx,
      ask: (what, wanted, ask) => this.same(what, wanted, () => ask(tx)),
      commit: async (writes, wanted) => {
        const place = await this.#loop.io(async () => {
          const committed = await tx.commit(writes);
          finish();
          await done;
          return committed;
        });
        const difference = firstDifference(wanted(), place);
        if (difference !== null) this.#faults.report('same-as-sql', `commit: ${difference}`);
      },
      rollback: () =>
        this.#loop.io(async () => {
          await tx.rollback();
          finish();
          await done;
        }),
    };
  }

  listPurgeable(limit: number): Promise<Purgeable[]> {
    return this.#admin.query(listPurgeable, limit);
  }

  purgeStep(what: Purgeable): Promise<number> {
    return purgeStep(this.#admin, what, purgedRowsMax, () => Promise.resolve(true));
  }

  /** Every row and every event of both, at the end. */
  async compareAll(): Promise<void> {
    for (const name of Object.keys(TABLES) as TableName[]) {
      const table = TABLES[name];
      const all = statement({
        name: `all_${table.sqlName}`,
        args: () => [],
        row: table.row as z.ZodType<unknown>,
        sql: `select ${table.select('t')} from ${table.sqlName} t`,
      });
      const found = await this.#loop.io(() => this.#admin.query(all));
      const difference = firstDifference(sorted(this.#db.world.all(name)), sorted(found));
      if (difference !== null) this.#faults.report('same-as-sql', `${name}: ${difference}`);
    }
    const wanted = this.#db.feed.map(({ pos, event }) => [
      pos,
      event.type,
      event.atMs,
      event.runSeq,
    ]);
    const events = await this.#loop.io(() => this.#admin.query(allEvents));
    const found = events.map((it) => [it.pos, it.type, it.at, it.run_seq]);
    const difference = firstDifference(wanted, found);
    if (difference !== null) this.#faults.report('same-as-sql', `feed: ${difference}`);
  }
}

/** What a transaction in memory asks of the one in SQL. */
export interface SqlTx {
  readonly plain: BatchTx;
  ask(what: string, wanted: unknown, ask: (tx: BatchTx) => Promise<unknown>): Promise<void>;
  commit(writes: Parameters<BatchTx['commit']>[0], wanted: () => unknown): Promise<void>;
  rollback(): Promise<void>;
}

const setClock = statement({
  name: 'setVirtualClock',
  args: (nowMs: number) => [nowMs],
  row: z.strictObject({ set: z.string() }),
  sql: `select set_config('virtual.now_ms', ($1::bigint)::text, false) as set`,
});

const allEvents = statement({
  name: 'allEvents',
  args: () => [],
  row: z.strictObject({
    pos: z.int(),
    type: z.string(),
    at: z.int(),
    run_seq: z.int().nullable(),
  }),
  sql: `select pos, type, at, run_seq from events order by pos`,
});

/** A database over one connection, without the time limits that transactions have in real time. */
function plainDb(admin: AdminSession): Db {
  const query: Db['query'] = (asked, ...args) => admin.query(asked, ...args);
  const run = (bound: Bound<unknown>): Promise<unknown[]> =>
    admin.query({ ...bound.statement, args: () => bound.values });
  const pipeline = async (all: readonly Bound<unknown>[]): Promise<unknown[][]> => {
    const answers: unknown[][] = [];
    for (const bound of all) answers.push(await run(bound));
    return answers;
  };
  const queries = { query, pipeline } as unknown as Queries;
  const refuse = (): Promise<never> => Promise.reject(new Error('not in a simulation'));
  return {
    kind: 'pglite',
    query,
    readSnapshot: (work) => work(queries),
    async transaction(work) {
      await admin.script('begin isolation level read committed, read write');
      let isOver = false;
      const end = async (how: string): Promise<void> => {
        if (isOver) return;
        isOver = true;
        await admin.script(how);
      };
      const tx = {
        ...queries,
        async commitWith(all: readonly Bound<unknown>[]) {
          const answers = await pipeline(all);
          await end('commit');
          return answers;
        },
        rollback: () => end('rollback'),
      } as unknown as Tx;
      try {
        const result = await work(tx);
        await end('commit');
        return result;
      } catch (error) {
        await end('rollback');
        throw error;
      }
    },
    async writeWhole(bound) {
      await admin.script('begin isolation level read committed, read write');
      try {
        const answers = await pipeline(bound);
        await admin.script('commit');
        return answers as never;
      } catch (error) {
        await admin.script('rollback');
        throw error;
      }
    },
    outcomeOf: refuse,
    exclusive: refuse,
    close: refuse,
  };
}

function sorted(rows: readonly unknown[]): unknown[] {
  return [...rows].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
}
