// What is older than it is kept for goes, in steps between which a crash costs nothing; what somebody
// still needs stays.
import {
  AUDIT_CHECKS,
  auditDatabase,
  dropSpentHistory,
  feedFloor,
  feedHead,
  turnHistory,
  type AdminSession,
  type Db,
  type PgliteDb,
} from '@baton/store';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCoordinator } from './coordinator.ts';
import { createRetention } from './services/retention.ts';
import { makeBusyState, type BusyState } from './testing/busy-state.ts';
import { look } from './testing/look.ts';
import { patient } from './testing/patient.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const dayMs = 24 * 3_600_000;

/** Parts of the history, with how many events each has. */
const partsOf = async (db: Db): Promise<{ period: number; events: number }[]> =>
  (
    await look(
      db,
      `select lpad(p.period::text, 4, '0') as subject,
              (select count(*) from events e where e.period = p.period)::text as found
         from event_periods p`,
    )
  ).map(({ subject, found }) => ({ period: Number(subject), events: Number(found) }));

/** Statements of a pass that turns the history over and drops a part. */
const CRASHES = 9;

const ADD_EVENT = `
  with place as (update feed set next_pos = next_pos + 1 returning next_pos - 1 as pos, period)
  insert into events (pos, project_id, type, actor, at, data, period)
  select pos, 'prj_1', 'worker.online', '{}', now(), '{}', period from place`;

const script = (db: Db, sql: string): Promise<void> => db.exclusive((admin) => admin.script(sql));
/** Lets time pass for the history. */
const age = (db: Db, days: number): Promise<void> =>
  script(db, `update event_periods set began_at = began_at - interval '${days} days'`);
/** Ends everything that is open, so that nothing of the history is needed any more. */
const endAll = (db: Db): Promise<void> =>
  script(
    db,
    `delete from ready;
     delete from timers;
     update attempts set status = 'cancelled', ended_at = now() where ended_at is null;
     update checkpoints set status = 'cancelled', closed_at = now() where status = 'open';
     update tasks set status = 'cancelled', out_of_play = false, checkpoint_id = null, ended_at = now()
      where ended_at is null;
     update runs r
        set status = 'cancelled', ended_at = now(), open_tasks = 0, active_tasks = 0, needs_human = 0,
            out_of_play = 0,
            cancelled_tasks = (select count(*) from tasks t
                                where t.run_id = r.id and t.status = 'cancelled')
      where ended_at is null`,
  );
const faults = async (db: Db, checks = AUDIT_CHECKS) =>
  (await auditDatabase(db, checks)).filter(({ count }) => count > 0);
/** What the history itself must hold to. */
const OF_HISTORY = AUDIT_CHECKS.filter(({ invariant }) =>
  ['A34', 'A39', 'A40'].includes(invariant),
);

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`retention on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    let busy: BusyState;
    beforeAll(async () => {
      opened = await database.open();
      ({ db } = opened);
      busy = await makeBusyState(db);
    });
    afterAll(() => opened?.close());

    test('the history is turned over once it is a day old, and not before', async () => {
      expect(await turnHistory(db, dayMs)).toBeUndefined();
      await age(db, 2);
      expect(await turnHistory(db, dayMs)).toBe(2);
      expect(await turnHistory(db, dayMs)).toBeUndefined();
      const { pos } = await feedHead(db);
      await makeBusyState(db);
      const [first, second] = await partsOf(db);
      expect(first).toEqual({ period: 1, events: pos });
      expect(second?.events).toBe((await feedHead(db)).pos - pos);
      expect(await faults(db)).toEqual([]);
    });

    test('a part stays while a run that has events in it is open', async () => {
      await age(db, 40);
      expect(await turnHistory(db, dayMs)).toBe(3);
      expect(await dropSpentHistory(db, 30 * dayMs)).toBe(false);
      await endAll(db);
    });

    test('a part stays while a consumer has not read it', async () => {
      await script(
        db,
        `insert into consumers (name, incarnation, pos, updated_at) values ('slow', 1, 3, now())`,
      );
      expect(await dropSpentHistory(db, 30 * dayMs)).toBe(false);
      await script(db, `delete from consumers`);
    });

    test('a part that nobody needs goes as a whole, the newest never', async () => {
      const { pos } = await feedHead(db);
      const retention = createRetention({
        db,
        log: quiet,
        submit: () => Promise.reject(new Error('no run is to go')),
        keep: { eventsDays: 30 },
      });
      expect(await retention.runOnce()).toBeGreaterThanOrEqual(1);
      expect((await partsOf(db)).map(({ period }) => period)).not.toContain(1);
      expect(await feedFloor(db)).toBeGreaterThan(1);
      expect((await feedHead(db)).pos).toBe(pos);
      await makeBusyState(db);
      await endAll(db);
      expect(await faults(db)).toEqual([]);
    });

    test('ended runs are purged when they are older than they are kept', async () => {
      const asked: string[] = [];
      const retention = createRetention({
        db,
        log: quiet,
        submit: async (command) => {
          if (command.type === 'run.purge') asked.push(command.run);
        },
        keep: { eventsDays: 30, runsDays: 7, logsDays: 7 },
      });
      await retention.runOnce();
      expect(asked).toEqual([]);
      await script(
        db,
        `update runs set ended_at = now() - interval '8 days' where id = '${busy.run}'`,
      );
      await retention.runOnce();
      expect(asked).toEqual([busy.run]);
      expect(await faults(db)).toEqual([]);
    });
  });
}

describe('a crash between any two statements of retention', () => {
  test(
    'leaves a history without a gap, and the next pass finishes',
    { timeout: 600_000 },
    async () => {
      const [pglite] = freshDatabases();
      const opened = await pglite?.open();
      if (opened === undefined) throw new Error('no database');
      const db = opened.db as PgliteDb;
      try {
        await makeBusyState(db);
        await endAll(db);
        // At each statement of a pass, and once not at all.
        for (let at = 1; at <= CRASHES + 1; at++) {
          await age(db, 40);
          const crashing = crashAt(db, at <= CRASHES ? at : Infinity);
          const retention = createRetention({
            db: crashing.db,
            log: quiet,
            submit: () => Promise.resolve(),
            keep: { eventsDays: 30 },
          });
          await retention.runOnce().catch(() => undefined);
          expect(await faults(db, OF_HISTORY)).toEqual([]);
          expect(crashing.hasCrashed()).toBe(at <= CRASHES);
          // Something of the new part, so that it is turned over as well.
          await script(db, ADD_EVENT);
        }
        expect(await faults(db)).toEqual([]);
        const left = await partsOf(db);
        expect(left[0]?.period).toBeGreaterThan(1);
        expect(left.length).toBeLessThanOrEqual(2);
      } finally {
        await opened.close();
      }
    },
  );
});

/** The database, dying before its `at`-th statement. */
function crashAt(real: PgliteDb, at: number): { db: Db; hasCrashed: () => boolean } {
  let count = 0;
  const step = async (): Promise<void> => {
    count += 1;
    if (count === at) await real.crash();
    if (count >= at) throw new Error('the process is gone');
  };
  const db: Db = {
    ...real,
    query: async (asked, ...args) => {
      await step();
      return real.query(asked, ...args);
    },
    exclusive: (work) =>
      real.exclusive((admin) => {
        const dying: AdminSession = {
          ...admin,
          script: async (sql) => {
            await step();
            return admin.script(sql);
          },
          query: async (asked, ...args) => {
            await step();
            return admin.query(asked, ...args);
          },
        };
        return work(dying);
      }),
  };
  return { db, hasCrashed: () => count >= at };
}

describe('proof that the database was put back', () => {
  test('begins another history, once', async () => {
    const [pglite] = freshDatabases();
    const opened = await pglite?.open();
    if (opened === undefined) throw new Error('no database');
    const it = createCoordinator({ db: opened.db, log: quiet, engines: ['shell'], ...patient });
    try {
      const busy = await makeBusyState(opened.db);
      await it.start();
      const before = it.incarnation();
      // A number from far ahead is nobody's: it must not use up the numbers.
      await it.suspectLoss(2 ** 20);
      expect(it.incarnation()).toBe(before);
      const hello = (epoch: number) =>
        it.submit({
          type: 'worker.hello',
          project: busy.project,
          actor: { kind: 'worker', id: busy.worker, name: 'hand' },
          worker: busy.worker,
          hello: {
            type: 'hello',
            incarnation: 'x',
            version: 'test',
            slots: 8,
            labels: {},
            capabilities: { engines: [], repos: [], languages: [], tools: [], environments: [] },
            draining: false,
            attempts: [{ id: busy.attempts.get('build') ?? '', epoch, ended: false }],
          },
        });
      const known = before * 2 ** 32;
      await hello(known);
      expect(it.incarnation()).toBe(before);
      await hello(known + 7);
      expect(it.incarnation()).toBe(before + 1);
      expect((await feedHead(opened.db)).incarnation).toBe(before + 1);
      await hello(known + 8);
      expect(it.incarnation()).toBe(before + 1);
    } finally {
      await it.stop();
      await opened.close();
    }
  });
});
