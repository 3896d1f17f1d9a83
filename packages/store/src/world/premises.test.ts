import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { NewEvent } from '@baton/kernel';
import {
  freshDatabases,
  insertRows,
  SAMPLE_AT_MS,
  sampleRow,
  type OpenDatabase,
} from '@baton/testkit';
import type { Db, Tx } from '../db.ts';
import { appendEvents, fenceFeed, type FeedEnd } from '../feed.ts';
import { bind, statement } from '../statement.ts';
import { listEvents } from '../statements/events.ts';
import type { StoreError } from '../store-error.ts';
import { lockBatch, lockLimits, lockRuns } from './lock.ts';
import { premiseLocks, type LockPremises } from './premises.ts';
import { writeStatements } from './write.ts';

const event = (n: number): NewEvent => ({
  projectId: 'prj_1',
  runId: null,
  runSeq: null,
  taskId: null,
  attemptId: null,
  type: 'worker.online',
  actor: { kind: 'kernel', id: null, name: null },
  cause: null,
  atMs: SAMPLE_AT_MS,
  data: { n },
});

/** Sessions that wait for a lock in this database. */
const countWaiting = statement({
  name: 'countWaiting',
  args: () => [],
  row: z.strictObject({ count: z.int() }),
  sql: `
    select count(*) as count
      from pg_stat_activity
     where datname = current_database()
       and wait_event_type = 'Lock'`,
});

const asRead: LockPremises = {
  runs: new Map([
    ['run_1', 3],
    ['run_2', 0],
  ]),
  workers: new Map([
    ['wrk_1', 5],
    ['wrk_2', 0],
  ]),
  limitsOf: ['prj_1'],
};
const start: FeedEnd = { nextPos: 1, incarnation: 1, mark: 'begin' };

const failureOf = (promise: Promise<unknown>): Promise<StoreError> =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error as StoreError,
  );
const movedOn = { kind: 'retryable', sqlState: '40001' };

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`premises on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    beforeAll(async () => {
      opened = await database.open();
      db = opened.db;
      const workers = [{}, { id: 'wrk_2', name: 'two', keyHash: 'two' }];
      await insertRows(db, { runs: [{}, { id: 'run_2' }], workers });
    });
    afterAll(() => opened?.close());
    beforeEach(() =>
      db.exclusive((admin) =>
        admin.script(`
          truncate events;
          update feed set next_pos = 1, incarnation = 1, last_at = 'epoch', mark = 'begin';
          update runs set version = case when id = 'run_1' then 3 else 0 end;
          update workers set changes = case when id = 'wrk_1' then 5 else 0 end`),
      ),
    );

    /** Two events, and the version of the first run raised. */
    const write = async (premises: LockPremises, end: FeedEnd, mark: string) => {
      const answers = await db.writeWhole([
        ...premiseLocks(premises),
        ...writeStatements([], new Set(['run_1'])),
        appendEvents([event(1), event(2)], mark, end),
      ]);
      return answers.at(-1)?.[0];
    };
    const stored = async (): Promise<{ readonly events: number; readonly run: unknown }> => {
      const run = await db.transaction((tx) => lockRuns(tx, ['run_1']));
      const events = await listEvents(db, { project: 'prj_1' }, 0, 100);
      return { events: events.length, run: run.get('run_1') };
    };
    const untouched = { events: 0, run: 3 };

    test('that hold let the batch through, and the next one expects the end that it left', async () => {
      const second = { ...asRead, runs: new Map([['run_1', 4]]) };
      const places = await Promise.all([
        write(asRead, start, 'one'),
        write(second, { ...start, nextPos: 3, mark: 'one' }, 'two'),
      ]);
      expect(places).toMatchObject([
        { first_pos: 1, incarnation: 1, mark: 'one' },
        { first_pos: 3, incarnation: 1, mark: 'two' },
      ]);
      expect(await stored()).toEqual({ events: 4, run: 5 });
    });

    test('are broken for whoever was given behind one that failed', async () => {
      const failures = await Promise.all([
        failureOf(write({ ...asRead, runs: new Map([['run_1', 2]]) }, start, 'one')),
        failureOf(
          write(
            { ...asRead, runs: new Map([['run_2', 0]]) },
            { ...start, nextPos: 3, mark: 'one' },
            'two',
          ),
        ),
      ]);
      expect(failures).toMatchObject([movedOn, movedOn]);
      expect(await stored()).toEqual(untouched);
    });

    test.each<[string, LockPremises, FeedEnd]>([
      ['version of a run', { ...asRead, runs: new Map([['run_1', 4]]) }, start],
      ['run', { ...asRead, runs: new Map([['run_9', 0]]) }, start],
      ['count of a worker', { ...asRead, workers: new Map([['wrk_1', 4]]) }, start],
      ['worker', { ...asRead, workers: new Map([['wrk_9', 0]]) }, start],
      ['position', asRead, { ...start, nextPos: 2 }],
      ['history', asRead, { ...start, incarnation: 2 }],
      ['mark', asRead, { ...start, mark: 'other' }],
    ])('with another %s fail the batch with nothing done', async (_what, premises, end) => {
      expect(await failureOf(write(premises, end, 'one'))).toMatchObject(movedOn);
      expect(await stored()).toEqual(untouched);
    });

    test('about a worker are broken by every change of its row', async () => {
      const original = sampleRow('workers', {});
      for (const row of [
        { ...original, lastSeenAtMs: SAMPLE_AT_MS + 1 },
        { ...original, draining: true },
      ]) {
        await db.writeWhole(writeStatements([{ table: 'workers', id: row.id, row, original }]));
      }
      expect(await failureOf(write(asRead, start, 'one'))).toMatchObject(movedOn);
      const nothing = { tasks: [], attempts: [], checkpoints: [], timers: [], joinTokens: [] };
      const { workers } = await db.transaction((tx) =>
        lockBatch(tx, { ...nothing, workers: ['wrk_1'], workerNames: [], idempotency: [] }),
      );
      expect(workers).toEqual(new Map([['wrk_1', 7]]));
      await write({ ...asRead, workers }, start, 'one');
    });

    test('about the feed are broken by a fence, which tells where it ends', async () => {
      await write(asRead, start, 'one');
      expect(await fenceFeed(db, 'fence')).toEqual({ ...start, nextPos: 3, mark: 'fence' });
      const next = { ...asRead, runs: new Map([['run_1', 4]]) };
      const end = { ...start, nextPos: 3, mark: 'one' };
      expect(await failureOf(write(next, end, 'two'))).toMatchObject(movedOn);
      await write(next, { ...end, mark: 'fence' }, 'two');
    });

    if (database.name === 'postgres') {
      /** Holds a lock until `work` is done with it, while a batch waits for it. */
      const whileHeld = <T>(lock: (tx: Tx) => Promise<unknown>, work: (tx: Tx) => Promise<T>) =>
        db.transaction(async (tx) => {
          await lock(tx);
          const waiting = failureOf(write(asRead, start, 'one'));
          await expect
            .poll(() => db.query(countWaiting), { timeout: 60_000 })
            .toEqual([{ count: 1 }]);
          await work(tx);
          return waiting;
        });
      const lockRun = (tx: Tx): Promise<unknown> => lockRuns(tx, ['run_1']);

      test('about a run that somebody holds wait, and are broken by what he changed', async () => {
        const failure = await whileHeld(lockRun, (tx) =>
          tx.commitWith(writeStatements([], new Set(['run_1']))),
        );
        expect(failure).toMatchObject(movedOn);
        expect(await stored()).toEqual({ events: 0, run: 4 });
      });

      test('are broken by a fence while the batch is held up', async () => {
        const failure = await whileHeld(lockRun, async (tx) => {
          expect(await fenceFeed(db, 'fence')).toEqual({ ...start, mark: 'fence' });
          await tx.rollback();
        });
        expect(failure).toMatchObject(movedOn);
        expect(await stored()).toEqual(untouched);
      });

      test('about limits are broken at once while somebody changes them', async () => {
        const failure = await db.transaction(async (tx) => {
          await tx.query(lockLimits, ['prj_1']);
          return failureOf(write(asRead, start, 'one'));
        });
        expect(failure).toMatchObject(movedOn);
        expect(await stored()).toEqual(untouched);
        await db.transaction(async (tx) => {
          await tx.pipeline([bind(lockLimits, ['prj_2'])]);
          await write(asRead, start, 'one');
        });
      });
    }
  });
}
