import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabases, insertRows, sampleRow, type OpenDatabase } from '@baton/testkit';
import { z } from 'zod';
import type { Db } from '../db.ts';
import { statement } from '../statement.ts';
import { StoreError } from '../store-error.ts';
import { lockBatch, lockClaimCandidates, lockRuns, type BatchNames } from './lock.ts';

const nothing: BatchNames = {
  tasks: [],
  attempts: [],
  checkpoints: [],
  timers: [],
  workers: [],
  workerNames: [],
  joinTokens: [],
  idempotency: [],
};

const tasksOf = ({ rows }: { readonly rows: readonly { readonly taskId: string }[] }): string[] =>
  rows.map((row) => row.taskId);

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`locks on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    beforeAll(async () => {
      opened = await database.open();
      db = opened.db;
    });
    afterAll(() => opened?.close());

    test('of a batch tell the runs of what it names, and the time', async () => {
      await insertRows(db, {
        tasks: [{ id: 'task_1', runId: 'run_2' }],
        timers: [{ id: 'tmr_1', runId: 'run_1' }],
        attempts: [{ id: 'att_1', runId: 'run_2' }],
        workers: [{}, { id: 'wrk_2', name: 'two', keyHash: 'two' }],
      });
      const before = Date.now();
      const answer = await db.transaction((tx) =>
        lockBatch(tx, {
          ...nothing,
          tasks: ['task_1', 'task_9'],
          attempts: ['att_1'],
          timers: ['tmr_1'],
          workers: ['wrk_2'],
          workerNames: ['prj_1/one', 'prj_1/none'],
          joinTokens: ['jtk_9'],
          idempotency: [
            { scope: 'key_1', key: 'a' },
            { scope: 'key_1', key: 'a' },
          ],
        }),
      );
      expect(answer.runs).toEqual(['run_1', 'run_2']);
      expect(Math.abs(answer.nowMs - before)).toBeLessThan(60_000);
    });

    test('claim candidates are the heads of each queue, best first', async () => {
      const row = (n: number, needsId: string, priority: number, seq: number, held?: string) => ({
        taskId: `task_${n}`,
        needsId,
        priority,
        seq,
        held: held ?? null,
      });
      await insertRows(db, {
        runs: [{}],
        ready: [
          row(1, 'a', 2, 1),
          row(2, 'a', 1, 9),
          row(3, 'a', 2, 2),
          row(4, 'b', 3, 3),
          row(5, 'a', 0, 0, 'backoff'),
          row(6, 'c', 0, 0),
        ],
      });
      const found = await db.transaction((tx) =>
        lockClaimCandidates(tx, 'prj_1', ['a', 'b', 'unknown'], 2),
      );
      expect(tasksOf(found)).toEqual(['task_2', 'task_1', 'task_4']);
      expect(found.rows[2]).toEqual(sampleRow('ready', row(4, 'b', 3, 3)));
      const others = await db.transaction((tx) => lockClaimCandidates(tx, 'prj_2', ['a'], 2));
      expect(others.rows).toEqual([]);
    });
  });
}

const postgres = freshDatabases().find((it) => it.name === 'postgres');
describe.skipIf(postgres?.isSkipped !== false)(`locks of several connections`, () => {
  let opened: OpenDatabase;
  let other: Db;
  beforeAll(async () => {
    if (postgres === undefined) return;
    opened = await postgres.open();
    other = await opened.reopen();
    await insertRows(opened.db, {
      runs: [{ id: 'run_1' }, { id: 'run_2' }],
      ready: [
        { taskId: 'task_1', runId: 'run_1', seq: 1 },
        { taskId: 'task_2', runId: 'run_1', seq: 2 },
        { taskId: 'task_3', runId: 'run_2', seq: 3 },
      ],
    });
  });
  afterAll(() => opened?.close());

  test('claimers skip rows and runs that are held, and never wait', async () => {
    await opened.db.transaction(async (tx) => {
      const mine = await lockClaimCandidates(tx, 'prj_1', ['needs_1'], 1);
      expect(tasksOf(mine)).toEqual(['task_1']);
      const theirs = await other.transaction((second) =>
        lockClaimCandidates(second, 'prj_1', ['needs_1'], 5),
      );
      expect(tasksOf(theirs)).toEqual(['task_3']);
    });
  });

  test('claimers skip the work of a run that a batch holds', async () => {
    await opened.db.transaction(async (tx) => {
      await lockRuns(tx, ['run_2']);
      const theirs = await other.transaction((second) =>
        lockClaimCandidates(second, 'prj_1', ['needs_1'], 5),
      );
      expect(tasksOf(theirs)).toEqual(['task_1', 'task_2']);
    });
  });

  test('a batch with the same idempotency key waits for the first one', async () => {
    const key = { ...nothing, idempotency: [{ scope: 's', key: 'k' }] };
    const order: string[] = [];
    let second: Promise<unknown> | undefined;
    await opened.db.transaction(async (tx) => {
      await lockBatch(tx, key);
      second = other.transaction(async (later) => {
        await lockBatch(later, key);
        order.push('second');
      });
      await waitUntilBlocked(opened.db);
      order.push('first');
    });
    await second;
    expect(order).toEqual(['first', 'second']);
  });
});

const blocked = statement({
  name: 'blockedSessions',
  args: () => [],
  row: z.strictObject({ count: z.int() }),
  sql: `
    select count(*) as count
      from pg_stat_activity
     where datname = current_database()
       and wait_event_type = 'Lock'`,
});

/** Resolves when some session of the database waits for a lock; fails after a minute. */
async function waitUntilBlocked(db: Db): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const [row] = await db.query(blocked);
    if ((row?.count ?? 0) > 0) return;
  }
  throw new StoreError('unavailable', 'nobody waits for a lock');
}
