import { freshDatabases, insertRows, SAMPLE_AT_MS, type OpenDatabase } from '@baton/testkit';
import type { NewEvent } from '@baton/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BatchWrites, FeedState, Premises } from './batch-store.ts';
import type { CoordinatorStore } from './coordinator-store.ts';
import { createSqlStore } from './sql-store.ts';

const event = (n: number): NewEvent => ({
  projectId: 'prj_1',
  runId: 'run_1',
  runSeq: n,
  taskId: null,
  attemptId: null,
  type: 'run.started',
  actor: { kind: 'kernel', id: null, name: null },
  cause: 'run.create',
  atMs: SAMPLE_AT_MS,
  data: { n },
});
const writes = (mark: string, ...events: readonly NewEvent[]): BatchWrites => ({
  rows: [],
  idempotent: [],
  events,
  nowMs: SAMPLE_AT_MS,
  changedRuns: new Set(['run_1']),
  mark,
});
const premises = (feed: FeedState, version: number): Premises => ({
  feed,
  runs: new Map([['run_1', version]]),
  workers: new Map([['wrk_1', 0]]),
  limitsOf: ['prj_1'],
});

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`the store on ${database.title}`, () => {
    let opened: OpenDatabase;
    let store: CoordinatorStore;
    beforeAll(async () => {
      opened = await database.open();
      store = createSqlStore(opened.db);
      await insertRows(opened.db, { runs: [{}], workers: [{}] });
    });
    afterAll(() => opened?.close());

    test('goes on from a transaction with batches given ahead, until it is fenced', async () => {
      const begun = await store.transaction(async (tx) => {
        const nothing = { tasks: [], attempts: [], checkpoints: [], timers: [], joinTokens: [] };
        const names = { ...nothing, workers: ['wrk_1'], workerNames: [], idempotency: [] };
        const { workers } = await tx.open(names);
        expect([workers, await tx.lockRuns(['run_1'])]).toEqual([
          new Map([['wrk_1', 0]]),
          new Map([['run_1', 0]]),
        ]);
        return tx.commit(writes('m1', event(1)));
      });
      const after = (nextPos: number, mark: string): FeedState => ({
        nextPos,
        incarnation: 1,
        mark,
      });
      expect(begun).toEqual({ pos: 1, atMs: SAMPLE_AT_MS, feed: after(2, 'm1') });
      const ahead = await Promise.all([
        store.write(premises(after(2, 'm1'), 1), writes('m2', event(2), event(3))),
        store.write(premises(after(4, 'm2'), 2), writes('m3', event(4))),
      ]);
      expect(ahead).toEqual([
        { pos: 2, atMs: SAMPLE_AT_MS, feed: after(4, 'm2') },
        { pos: 4, atMs: SAMPLE_AT_MS, feed: after(5, 'm3') },
      ]);
      expect(await store.fence('m4')).toEqual(after(5, 'm4'));
      await expect(
        store.write(premises(after(5, 'm3'), 3), writes('m5', event(5))),
      ).rejects.toMatchObject({ kind: 'retryable' });
      expect(await store.readEvents(2, 2)).toEqual([event(2), event(3)]);
      expect(await store.readEvents(4, 10)).toEqual([event(4)]);
    });
  });
}
