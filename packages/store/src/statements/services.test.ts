import { taskSpec } from '@baton/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabases, insertRows, type OpenDatabase } from '@baton/testkit';
import type { Db } from '../db.ts';
import { findIdempotent, insertIdempotent } from './idempotency.ts';
import { findWrittenBytes, maintain } from './maintenance.ts';
import {
  findDeclaredOutputs,
  listDueTimers,
  listExpiredLeases,
  listKnownEngines,
  listNeeds,
  listOpenAttemptIds,
  listWorkersToSweep,
} from './services.ts';

const HOUR = 3_600_000;
/** Far apart: what is written a while before it is asked for stays on its side of a bound. */
const MINUTE = 60_000;

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`what services ask on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    beforeAll(async () => {
      opened = await database.open();
      db = opened.db;
    });
    afterAll(() => opened?.close());
    beforeEach(() =>
      db.exclusive((admin) =>
        admin.script(
          'truncate attempts, timers, workers, needs, ready, task_specs, idempotency_keys',
        ),
      ),
    );

    test('due timers: those whose instant has come, the earliest first', async () => {
      const now = Date.now();
      await insertRows(db, {
        timers: [
          { id: 'tmr_1', dueAtMs: now - 1_000 },
          { id: 'tmr_2', dueAtMs: now - HOUR },
          { id: 'tmr_3', dueAtMs: now + HOUR },
        ],
      });
      expect((await listDueTimers(db, 10)).map((it) => it.id)).toEqual(['tmr_2', 'tmr_1']);
      expect((await listDueTimers(db, 1)).map((it) => it.id)).toEqual(['tmr_2']);
    });

    test('expired leases: of open attempts, with the lease that was seen', async () => {
      const past = Date.now() - HOUR;
      await insertRows(db, {
        attempts: [
          { id: 'att_1', leaseUntilMs: past },
          { id: 'att_2', taskId: 'task_2', leaseUntilMs: Date.now() + HOUR },
          { id: 'att_3', taskId: 'task_3', leaseUntilMs: past, status: 'stopping' },
          { id: 'att_4', taskId: 'task_4', leaseUntilMs: past, status: 'lost', endedAtMs: 1 },
          { id: 'att_5', taskId: 'task_5', leaseUntilMs: past - 1, status: 'parked' },
        ],
      });
      expect(await listExpiredLeases(db, 10)).toEqual([
        { id: 'att_5', projectId: 'prj_1', leaseUntilMs: past - 1 },
        { id: 'att_1', projectId: 'prj_1', leaseUntilMs: past },
      ]);
      expect((await listOpenAttemptIds(db)).map((it) => it.id)).toEqual([
        'att_1',
        'att_2',
        'att_5',
      ]);
    });

    test('workers to sweep: those whose last beat is older than their presence says', async () => {
      const now = Date.now();
      const worker = (n: number, presence: 'online' | 'silent' | 'offline', ageMs: number) => ({
        id: `wrk_${n}`,
        name: `w${n}`,
        keyHash: `k${n}`,
        presence,
        lastSeenAtMs: now - ageMs,
      });
      await insertRows(db, {
        workers: [
          worker(1, 'online', MINUTE),
          worker(2, 'online', 40 * MINUTE),
          worker(3, 'silent', 40 * MINUTE),
          worker(4, 'silent', 100 * MINUTE),
          worker(5, 'online', 100 * MINUTE),
          worker(6, 'offline', 10 * HOUR),
        ],
      });
      const bounds = { silentMs: 30 * MINUTE, offlineMs: 70 * MINUTE, limit: 10 };
      expect((await listWorkersToSweep(db, bounds)).map((it) => it.id)).toEqual([
        'wrk_2',
        'wrk_4',
        'wrk_5',
      ]);
    });

    test('needs of work that is ready, and engines that workers advertise', async () => {
      await insertRows(db, {
        needs: [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
        ready: [
          { taskId: 'task_1', needsId: 'a' },
          { taskId: 'task_2', needsId: 'c', held: 'backoff' },
        ],
        workers: [{}, { id: 'wrk_2', name: 'two', keyHash: 'two' }],
      });
      expect((await listNeeds(db)).map((it) => it.id)).toEqual(['a', 'c']);
      expect(await listKnownEngines(db)).toEqual([
        { projectId: 'prj_1', engine: 'shell', workers: 2 },
      ]);
    });

    test('contracts that the task of an attempt declares', async () => {
      const outputs = [
        { key: 'any' },
        { key: 'never', schema: false },
        { key: 'api', schema: { type: 'object' } },
      ];
      await insertRows(db, { attempts: [{}], taskSpecs: [{ spec: taskSpec.parse({ outputs }) }] });
      expect(await findDeclaredOutputs(db, 'att_1')).toEqual(outputs);
      expect(await findDeclaredOutputs(db, 'att_2')).toEqual([]);
    });

    test('first answers are found by their key for seven days', async () => {
      const mine = { scope: 'key_1', key: 'a' };
      const answer = { ...mine, requestSha256: 'sha', reply: { run: 'run_1' } };
      const store = (nowMs: number): Promise<unknown> =>
        db.transaction((tx) => tx.commitWith([insertIdempotent([answer, answer], nowMs)]));
      const find = (): Promise<Map<string, unknown>> =>
        db.transaction((tx) => findIdempotent(tx, [mine, mine, { scope: 'key_2', key: 'a' }]));
      await store(Date.now() - 8 * 24 * HOUR);
      expect((await find()).size).toBe(0);
      await store(Date.now());
      expect(await find()).toEqual(
        new Map([['key_1\na', { requestSha256: 'sha', reply: { run: 'run_1' } }]]),
      );
      // The first one counts: whoever comes second must look again.
      await expect(store(Date.now())).rejects.toMatchObject({ kind: 'retryable' });
    });

    test('housekeeping leaves the database in order', async () => {
      await insertRows(db, { timers: [{ dueAtMs: 1 }] });
      const before = await findWrittenBytes(db);
      await insertRows(db, { timers: [{ id: 'tmr_2', dueAtMs: 1 }] });
      const after = await findWrittenBytes(db);
      // A server looks after itself.
      expect([typeof before, typeof after]).toEqual(
        db.kind === 'pglite' ? ['number', 'number'] : ['undefined', 'undefined'],
      );
      if (before !== undefined) expect(after).toBeGreaterThan(before);
      await maintain(db);
      expect((await listDueTimers(db, 10)).length).toBe(2);
    });
  });
}
