import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { NewEvent } from '@baton/kernel';
import { freshDatabases, insertRows, SAMPLE_AT_MS, type OpenDatabase } from '@baton/testkit';
import type { Db } from './db.ts';
import { appendEvents } from './feed.ts';
import { bind, statement } from './statement.ts';
import { blankEventsOfTask } from './statements/blank-events.ts';
import { feedHead, listEvents, type EventRead } from './statements/events.ts';
import { makeEventPeriod } from './statements/retention.ts';

const event = (fields: Partial<NewEvent> = {}): NewEvent => ({
  projectId: 'prj_1',
  runId: null,
  runSeq: null,
  taskId: null,
  attemptId: null,
  type: 'worker.online',
  actor: { kind: 'kernel', id: null, name: null },
  cause: null,
  atMs: SAMPLE_AT_MS,
  data: {},
  ...fields,
});

const append = async (db: Db, events: readonly NewEvent[]): Promise<number> => {
  const rows = await db.transaction((tx) => tx.commitWith([appendEvents(events, 'm')]));
  return rows[0][0]?.first_pos ?? -1;
};

const lastAt = statement({
  name: 'lastAt',
  args: () => [],
  row: z.strictObject({ last_at: z.int() }),
  sql: `select last_at from feed where id = 1`,
});
const indexesOf = statement({
  name: 'indexesOf',
  args: (part: string) => [part],
  row: z.strictObject({ name: z.string() }),
  sql: `
    select replace(indexname, $1, 'part') as name
      from pg_indexes
     where tablename = $1
     order by 1`,
});
const fail = statement({
  name: 'failOnPurpose',
  args: () => [],
  row: z.strictObject({ result: z.int() }),
  sql: `select 1 / 0 as result`,
});

const all = { project: 'prj_1' };

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`the feed on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    beforeAll(async () => {
      opened = await database.open();
      db = opened.db;
    });
    afterAll(() => opened?.close());
    beforeEach(() =>
      db.exclusive((admin) =>
        admin.script(`truncate events, tasks; update feed set next_pos = 1, last_at = 'epoch'`),
      ),
    );

    test('begins at 1 and numbers events in the order of the array', async () => {
      expect(await feedHead(db)).toMatchObject({ pos: 0, incarnation: 1 });
      expect(await append(db, [event({ data: { n: 1 } }), event({ data: { n: 2 } })])).toBe(1);
      expect(await append(db, [event({ data: { n: 3 } })])).toBe(3);
      expect(await feedHead(db)).toMatchObject({ pos: 3 });
      const read = await listEvents(db, all, 0, 10);
      expect(read.map((it) => [it.pos, it.event.data])).toEqual([
        [1, { n: 1 }],
        [2, { n: 2 }],
        [3, { n: 3 }],
      ]);
    });

    test('gives events back as they were made', async () => {
      const made = event({
        runId: 'run_1',
        runSeq: 4,
        taskId: 'task_1',
        attemptId: 'att_1',
        type: 'task.progressed',
        actor: { kind: 'agent', id: 'att_1', name: 'one\u0000' },
        cause: 'attempt.progress',
        atMs: SAMPLE_AT_MS + 1,
        data: { text: 'nul \u0000, half \ud800', list: [1, null], z: 1, a: 2 },
      });
      await append(db, [made]);
      const [read] = await listEvents(db, all, 0, 10);
      expect(read).toEqual({ pos: 1, event: made });
      expect(JSON.stringify(read?.event.data)).toBe(JSON.stringify(made.data));
    });

    test('keeps its newest instant when a clock goes back', async () => {
      await append(db, [event({ atMs: 5_000 }), event({ atMs: 4_000 })]);
      await append(db, [event({ atMs: 1_000 })]);
      expect(await db.query(lastAt)).toEqual([{ last_at: 5_000 }]);
    });

    test('takes back the numbers of a transaction that fails behind them', async () => {
      await append(db, [event()]);
      const failed = db.transaction((tx) =>
        tx.commitWith([appendEvents([event()], 'm'), bind(fail)]),
      );
      await expect(failed).rejects.toThrow('division by zero');
      expect(await append(db, [event()])).toBe(2);
    });

    test('refuses a second event under the same number of a run', async () => {
      await append(db, [event({ runId: 'run_1', runSeq: 1 })]);
      await expect(append(db, [event({ runId: 'run_1', runSeq: 1 })])).rejects.toMatchObject({
        constraint: expect.stringMatching(/^events_\d+_of_run$/),
      });
    });

    test('is read by project, run and task, behind any position', async () => {
      const of = (runId: string, runSeq: number, taskId: string | null): NewEvent =>
        event({ runId, runSeq, taskId });
      await insertRows(db, {
        runs: [{ id: 'run_1' }, { id: 'run_2' }],
        tasks: [
          { id: 'task_1', runId: 'run_1', projectId: 'prj_1' },
          { id: 'task_2', runId: 'run_2', projectId: 'prj_1' },
        ],
      });
      await append(db, [
        of('run_1', 1, null),
        of('run_2', 1, null),
        of('run_1', 2, 'task_1'),
        event({ projectId: 'prj_2' }),
        of('run_2', 2, 'task_2'),
        of('run_1', 3, 'task_1'),
      ]);
      const positions = async (
        filter: Partial<{ project: string; run: string; task: string }>,
        pos: number,
        limit = 10,
      ): Promise<number[]> =>
        (await listEvents(db, { ...all, ...filter }, pos, limit)).map((it) => it.pos);
      expect(await positions({}, 0)).toEqual([1, 2, 3, 5, 6]);
      expect(await positions({}, 2, 2)).toEqual([3, 5]);
      expect(await positions({ run: 'run_1' }, 0)).toEqual([1, 3, 6]);
      expect(await positions({ run: 'run_1' }, 1)).toEqual([3, 6]);
      expect(await positions({ run: 'run_1' }, 2)).toEqual([3, 6]);
      expect(await positions({ run: 'run_1' }, 5)).toEqual([6]);
      expect(await positions({ run: 'run_1' }, 6)).toEqual([]);
      expect(await positions({ run: 'run_1' }, 99)).toEqual([]);
      expect(await positions({ task: 'task_1' }, 0, 1)).toEqual([3]);
      expect(await positions({ task: 'task_1' }, 1)).toEqual([3, 6]);
      expect(await positions({ task: 'task_1' }, 3)).toEqual([6]);
      expect(await positions({ task: 'task_1' }, 5)).toEqual([6]);
      expect(await positions({ task: 'task_1' }, 6)).toEqual([]);
      expect(await positions({ task: 'task_2' }, 0)).toEqual([5]);
      expect(await positions({ task: 'task_3' }, 0)).toEqual([]);
      expect(await positions({ project: 'prj_2' }, 0)).toEqual([4]);
      expect(await positions({ project: 'prj_2', run: 'run_1' }, 0)).toEqual([]);
      expect(await positions({ project: 'prj_2', task: 'task_1' }, 0)).toEqual([]);
    });

    test('a task that moved out of a run of its own keeps what happened to it there', async () => {
      await insertRows(db, {
        runs: [{ id: 'run_old' }, { id: 'run_new', planVersion: 0 }],
        tasks: [{ id: 'task_moved', runId: 'run_new', projectId: 'prj_1' }],
      });
      const moved = { fields: ['run'], from_run: 'run_old' };
      await append(db, [
        event({ runId: 'run_old', runSeq: 7, taskId: 'task_moved' }),
        event({ runId: 'run_old', runSeq: 8, taskId: 'task_other' }),
        event({
          runId: 'run_new',
          runSeq: 1,
          taskId: 'task_moved',
          type: 'task.updated',
          data: moved,
        }),
        event({ runId: 'run_new', runSeq: 2, taskId: 'task_moved' }),
      ]);
      const read = async (pos: number): Promise<number[]> =>
        (await listEvents(db, { ...all, task: 'task_moved' }, pos, 10)).map((it) => it.pos);
      expect(await read(0)).toEqual([1, 3, 4]);
      expect(await read(1)).toEqual([3, 4]);
      expect(await read(3)).toEqual([4]);
      const blank = (limit: number) => db.query(blankEventsOfTask, 'run_new', 'task_moved', limit);
      expect([await blank(1), await blank(9), await blank(9)]).toEqual([
        [{ count: 1 }],
        [{ count: 2 }],
        [{ count: 0 }],
      ]);
      expect((await listEvents(db, all, 0, 10)).map((it) => it.event.taskId)).toEqual([
        null,
        'task_other',
        null,
        null,
      ]);
    });

    test('has the same indexes in every part', async () => {
      await db.query(makeEventPeriod, 2);
      const indexes = await db.query(indexesOf, 'events_1');
      expect(indexes.map(({ name }) => name)).toEqual([
        'part_of_delegation',
        'part_of_run',
        'part_pkey',
      ]);
      expect(await db.query(indexesOf, 'events_2')).toEqual(indexes);
    });

    test('is dense and in commit order for a reader beside many writers', async () => {
      const writers = database.name === 'postgres' ? 4 : 1;
      const dbs = [
        db,
        ...(await Promise.all(Array.from({ length: writers - 1 }, () => opened.reopen()))),
      ];
      const transactions = 60;
      let isDone = false;
      const reader = (async () => {
        const seen: EventRead[] = [];
        for (;;) {
          const isLast = isDone;
          const read = await listEvents(db, all, seen.at(-1)?.pos ?? 0, 50);
          seen.push(...read);
          if (isLast && read.length === 0) return seen;
        }
      })();
      const write = async (writer: Db, who: number): Promise<number> => {
        let written = 0;
        for (let n = 0; n < transactions; n++) {
          const events = Array.from({ length: 1 + (n % 4) }, (_, of) =>
            event({ data: { who, n, of } }),
          );
          const isFailing = n % 7 === 0;
          const last = isFailing
            ? [appendEvents(events, 'm'), bind(fail)]
            : [appendEvents(events, 'm')];
          const outcome = await writer
            .transaction(async (tx) => {
              await tx.commitWith(last);
            })
            .then(
              () => 'done',
              () => 'failed',
            );
          expect(outcome).toBe(isFailing ? 'failed' : 'done');
          if (!isFailing) written += events.length;
        }
        return written;
      };
      const counts = await Promise.all(
        dbs.flatMap((one, at) => [write(one, 2 * at), write(one, 2 * at + 1)]),
      );
      isDone = true;
      const seen = await reader;
      const total = counts.reduce((sum, count) => sum + count, 0);
      expect(seen.map((it) => it.pos)).toEqual(Array.from({ length: total }, (_, at) => at + 1));
      for (let who = 0; who < 2 * writers; who++) {
        const own = seen
          .map((it) => it.event.data as { who: number; n: number; of: number })
          .filter((it) => it.who === who);
        const ordered = own.toSorted((a, b) => a.n - b.n || a.of - b.of);
        expect(own).toEqual(ordered);
      }
    }, 300_000);
  });
}
