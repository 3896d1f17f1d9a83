import type { NewEvent } from '@baton/kernel';
import { freshDatabases, insertRows, SAMPLE_AT_MS, type OpenDatabase } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Db } from '../db.ts';
import { insertEvents } from '../feed.ts';
import { bind, statement } from '../statement.ts';
import { lockRuns } from '../world/lock.ts';
import {
  findPurged,
  listPurgeable,
  purgeStep,
  type LooseContent,
  type Purgeable,
} from './purge.ts';

const GONE = 'run_gone0001';
const KEPT = 'run_kept0001';
const SHARED = 'a'.repeat(64);
const ended = { status: 'succeeded', endedAtMs: SAMPLE_AT_MS } as const;

const tables = statement({
  name: 'testTables',
  args: () => [],
  row: z.strictObject({ name: z.string() }),
  sql: `
    select c.relname::text as name
      from pg_class c
      join pg_namespace n
        on n.oid = c.relnamespace
     where n.nspname = 'public'
       and c.relkind in ('r', 'p')
       and not c.relispartition
     order by 1`,
});

/** Every row of every table that holds a text, as JSON; tables by name. */
async function rowsWith(db: Db, text: string): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { name } of await db.query(tables)) {
    const read = statement({
      name: `testRows_${name}`,
      args: () => [`%${text}%`],
      row: z.strictObject({ line: z.string() }),
      sql: `select to_json(t)::text as line from ${name} t where to_json(t)::text like $1 order by 1`,
    });
    const lines = (await db.query(read)).map((it) => it.line);
    if (lines.length > 0) found[name] = lines;
  }
  return found;
}

function eventsOf(run: string, task: string, count: number): NewEvent[] {
  return Array.from({ length: count }, (_, at) => ({
    projectId: 'prj_1',
    runId: run,
    runSeq: at + 1,
    taskId: at === 0 ? null : task,
    attemptId: at === 0 ? null : `att_${task}`,
    type: 'task.progressed',
    actor: { kind: 'user', id: 'usr_1', name: `somebody of ${run}` },
    cause: 'task.progress',
    atMs: SAMPLE_AT_MS,
    data: { text: at === 0 ? `said in ${run}` : `said of ${task}` },
  }));
}

/** A run with one task that did everything a task can leave behind. */
async function fill(db: Db, run: string): Promise<void> {
  const task = `task_of_${run}`;
  const attempt = `att_${task}`;
  const of = { taskId: task, runId: run };
  await insertRows(db, {
    runs: [{ id: run, status: 'completed', endedAtMs: SAMPLE_AT_MS, taskCount: 2 }],
    tasks: [
      { id: task, runId: run, key: 'a', status: 'completed', endedAtMs: SAMPLE_AT_MS },
      { id: `${task}_2`, runId: run, key: 'b', status: 'completed', endedAtMs: SAMPLE_AT_MS },
    ],
    taskSpecs: [of, { taskId: `${task}_2`, runId: run }],
    dependencies: [{ id: `dep_${run}`, runId: run, upstreamId: task, downstreamId: `${task}_2` }],
    attempts: [{ id: attempt, ...of, epoch: 5, ...ended }],
    outputs: [{ id: `${task}/x/1`, ...of, attemptId: attempt }],
    notes: [{ id: `note_${run}`, ...of }],
    timers: [{ id: `tmr_${run}`, ...of }],
    checkpoints: [
      {
        id: `chk_${run}`,
        ...of,
        attemptId: attempt,
        status: 'cancelled',
        closedAtMs: SAMPLE_AT_MS,
      },
    ],
    artifacts: [
      { id: `art_own_${run}`, ...of, attemptId: attempt, sha256: run.padEnd(64, '0') },
      { id: `art_shared_${run}`, ...of, attemptId: attempt, sha256: SHARED },
    ],
  });
  await db.exclusive((admin) =>
    admin.script(`
      insert into log_heads (attempt_id, seq, offsets, prev_offset, seen_offset)
      values ('${attempt}', 250, '{}', 0, 0);
      insert into log_chunks (attempt_id, stream, start_offset, seq, run_id, at, data)
      select '${attempt}', 'stdout', n, n + 1, '${run}', clock_timestamp(), 'x'
        from generate_series(0, 249) as n;`),
  );
  await db.transaction((tx) => tx.commitWith([bind(insertEvents, eventsOf(run, task, 150), 'm')]));
}

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`purging on ${database.title}`, { timeout: 300_000 }, () => {
    let opened: OpenDatabase;
    let db: Db;
    let removed: LooseContent[];
    beforeAll(async () => {
      opened = await database.open();
      db = opened.db;
    });
    afterAll(() => opened?.close());
    beforeEach(async () => {
      removed = [];
      const names = (await db.query(tables))
        .map(({ name }) => name)
        .filter((name) => !/^(?:feed|meta|event_periods|.*migrations.*)$/.test(name));
      await db.exclusive((admin) => admin.script(`truncate ${names.join(', ')}`));
      await fill(db, GONE);
      await fill(db, KEPT);
    });

    const mark = (table: 'runs' | 'tasks', id: string): Promise<void> =>
      db.exclusive((admin) =>
        admin.script(
          `update ${table} set deleted_at = clock_timestamp(), purge_at = clock_timestamp()
            where id = '${id}'`,
        ),
      );
    const step = (what: Purgeable, rowsMax = 50): Promise<number> =>
      purgeStep(db, what, rowsMax, async (content) => {
        removed.push(content);
        return true;
      });
    /** Steps until there is nothing more, at most `max`; answers how many there were. */
    async function steps(what: Purgeable, max = 1_000): Promise<number> {
      for (let count = 0; count < max; count++) if ((await step(what)) === 0) return count;
      return max;
    }

    test('a run leaves nothing behind, in bounded steps, and takes nothing from another', async () => {
      const before = await rowsWith(db, KEPT);
      expect(await db.query(listPurgeable, 10)).toEqual([]);
      await mark('runs', GONE);
      const [what] = await db.query(listPurgeable, 10);
      expect(what).toEqual({ project: 'prj_1', run: GONE, task: null });
      if (what === undefined) return;
      expect(await steps(what)).toBeGreaterThan(6);
      const { purged_ids: known, ...left } = await rowsWith(db, GONE);
      expect(left).toEqual({});
      expect(known).toHaveLength(1);
      expect(await db.query(findPurged, 'prj_1', GONE)).toEqual([{ id: GONE }]);
      expect(await db.query(findPurged, 'prj_2', GONE)).toEqual([]);
      expect(await rowsWith(db, KEPT)).toEqual(before);
      expect(removed).toEqual([{ project: 'prj_1', sha256: GONE.padEnd(64, '0') }]);
      expect(await db.query(listPurgeable, 10)).toEqual([]);
    });

    test('is gone on with wherever it was left, also by somebody else at the same time', async () => {
      await mark('runs', GONE);
      const what = { project: 'prj_1', run: GONE, task: null };
      for (let cut = 1; cut <= 3; cut++) {
        await steps(what, cut);
        expect(await db.query(listPurgeable, 10)).toEqual([what]);
      }
      await Promise.all([steps(what), steps(what)]);
      expect(Object.keys(await rowsWith(db, GONE))).toEqual(['purged_ids']);
    });

    test('the feed keeps its places: what was there says nothing any more', async () => {
      const positions = statement({
        name: 'testPositions',
        args: () => [],
        row: z.strictObject({ count: z.int(), dense: z.boolean(), blank: z.int() }),
        sql: `
          select count(*) as count, max(pos) - min(pos) + 1 = count(*) as dense,
                 count(*) filter (where type = 'event.purged' and run_id is null) as blank
            from events`,
      });
      await mark('runs', GONE);
      await steps({ project: 'prj_1', run: GONE, task: null });
      expect(await db.query(positions)).toEqual([{ count: 300, dense: true, blank: 150 }]);
    });

    test('a task goes out of a run that stays; the numbers of its events stay', async () => {
      const task = `task_of_${GONE}`;
      await db.exclusive((admin) => admin.script(`delete from dependencies`));
      await mark('tasks', task);
      const [what] = await db.query(listPurgeable, 10);
      expect(what).toEqual({ project: 'prj_1', run: GONE, task });
      if (what === undefined) return;
      const versionNow = async (): Promise<number> =>
        (await db.transaction((tx) => lockRuns(tx, [GONE]))).get(GONE) ?? 0;
      const before = await versionNow();
      await steps(what);
      // Who remembers the run must read it again.
      expect(await versionNow()).toBeGreaterThan(before);
      const left = await rowsWith(db, `${task}"`);
      expect(Object.keys(left)).toEqual(['purged_ids']);
      const kept = await rowsWith(db, GONE);
      expect(Object.keys(kept)).toEqual(['events', 'purged_ids', 'runs', 'task_specs', 'tasks']);
      expect(kept['events']).toHaveLength(150);
      expect(kept['events']?.filter((it) => it.includes('event.purged'))).toHaveLength(149);
    });

    test('nothing is taken while a process of it may be alive', async () => {
      await insertRows(db, {
        attempts: [
          { id: 'att_alive', taskId: `task_of_${GONE}`, runId: GONE, epoch: 9, status: 'stopping' },
        ],
      });
      await mark('runs', GONE);
      expect(await db.query(listPurgeable, 10)).toEqual([]);
    });

    test('more attempts than one step looks at leave no log behind', async () => {
      const task = `task_of_${GONE}`;
      await insertRows(db, {
        attempts: Array.from({ length: 1_100 }, (_, at) => ({
          id: `att_more_${at}`,
          taskId: task,
          runId: GONE,
          epoch: at + 10,
          ...ended,
        })),
      });
      await db.exclusive((admin) =>
        admin.script(`
          insert into log_chunks (attempt_id, stream, start_offset, seq, run_id, at, data)
          select 'att_more_' || n, 'stdout', 0, 1, '${GONE}', clock_timestamp(), 'x'
            from generate_series(0, 1099) as n;`),
      );
      await mark('runs', GONE);
      await steps({ project: 'prj_1', run: GONE, task: null });
      expect(await rowsWith(db, 'att_more_')).toEqual({});
      expect(Object.keys(await rowsWith(db, GONE))).toEqual(['purged_ids']);
    });
  });
}
