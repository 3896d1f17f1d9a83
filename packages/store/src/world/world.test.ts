import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LISTS, type TableName, type Tables } from '@baton/kernel';
import {
  freshDatabases,
  insertRows,
  sampleRow,
  type OpenDatabase,
  type RowSet,
} from '@baton/testkit';
import { z } from 'zod';
import type { Db } from '../db.ts';
import { bind, statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { LIST_STATEMENTS, loadList, loadRows, type LoadableList } from './load.ts';
import { writeStatements, type RowChange } from './write.ts';

const change = <T extends TableName>(
  table: T,
  original: Tables[T] | null,
  row: Tables[T] | null,
): RowChange => {
  const key = TABLES[table].key.property as keyof Tables[T];
  return { table, id: ((row ?? original) as Tables[T])[key] as string, row, original };
};

const write = (db: Db, ...changes: RowChange[]): Promise<void> =>
  db.transaction(async (tx) => {
    await tx.commitWith(writeStatements(changes));
  });

/** Two of everything, in every state that a list tells apart. */
const WORLD: RowSet = {
  runs: [
    { id: 'run_1', deliveryWorkerId: 'wrk_1', deliveryOrder: null },
    {
      id: 'run_2',
      deliveryWorkerId: 'wrk_1',
      deliveryOrder: {
        run: 'run_2',
        task: 'task_3',
        mode: 'branch',
        commit: { repo: '/r', base: 'a', commit: 'b' },
        ref: null,
        branch: 'baton/run_2',
      },
    },
  ],
  tasks: [
    { id: 'task_1', position: 1 },
    { id: 'task_2', position: 0 },
    { id: 'task_3', runId: 'run_2' },
  ],
  taskSpecs: [{ taskId: 'task_1' }, { taskId: 'task_2' }, { taskId: 'task_3', runId: 'run_2' }],
  dependencies: [
    { id: 'dep_1' },
    { id: 'dep_2', type: 'input', contractKey: 'api', inputName: 'api' },
    { id: 'dep_3', runId: 'run_2', upstreamId: 'task_3', downstreamId: 'task_4' },
  ],
  attempts: [
    { id: 'att_1', epoch: 3, status: 'stopping' },
    { id: 'att_2', epoch: 4, workerId: 'wrk_2', status: 'parked' },
    { id: 'att_3', epoch: 2, status: 'lost', endedAtMs: 5 },
    { id: 'att_4', taskId: 'task_3', runId: 'run_2', status: 'claimed', startedAtMs: null },
  ],
  checkpoints: [
    { id: 'chk_1' },
    { id: 'chk_2', status: 'cancelled', closedAtMs: 5 },
    { id: 'chk_3', runId: 'run_2', taskId: null, attemptId: null },
  ],
  outputs: [{ id: 'task_1/api/1' }, { id: 'task_1/api/2', generation: 2 }],
  artifacts: [{ id: 'art_1' }, { id: 'art_2', taskId: 'task_2' }],
  notes: [{ id: 'note_1' }, { id: 'note_2', taskId: 'task_2' }],
  timers: [{ id: 'tmr_1' }, { id: 'tmr_2', taskId: null, kind: 'delivery_deadline' }],
  workers: [
    { id: 'wrk_1', name: 'one' },
    { id: 'wrk_2', name: 'two', keyHash: 'other' },
    { id: 'wrk_3', name: 'one', projectId: 'prj_2', keyHash: 'third' },
  ],
};

const lists = Object.keys(LIST_STATEMENTS) as LoadableList[];

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`the world on ${database.title}`, () => {
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
          `truncate ${Object.values(TABLES)
            .map((table) => table.sqlName)
            .join(', ')}`,
        ),
      ),
    );

    describe('lists', () => {
      test.each(lists)('%s holds the rows that the kernel says are on it', async (list) => {
        await insertRows(db, WORLD);
        const { table, owners } = LISTS[list];
        const ownersOf = owners as (row: Tables[TableName]) => readonly string[];
        const all = (WORLD[table] ?? []).map((fields) => sampleRow(table, fields as never));
        const ids = [...new Set([...all.flatMap(ownersOf), 'nobody', 'prj_1/nobody'])];
        const found = await loadList(db, list, ids);
        const key = TABLES[table].key.property as keyof Tables[typeof table];
        expect([...found.keys()]).toEqual(ids);
        for (const id of ids) {
          const expected = all.filter((row) => ownersOf(row).includes(id));
          const rows = new Map(expected.map((row) => [row[key], row]));
          expect(new Map(found.get(id)), `${list} of ${id}`).toEqual(rows);
        }
      });

      test('tasks of a run come in plan order', async () => {
        await insertRows(db, WORLD);
        const found = await loadList(db, 'tasksOfRun', ['run_1']);
        expect([...(found.get('run_1')?.keys() ?? [])]).toEqual(['task_2', 'task_1']);
      });
    });

    describe('writes', () => {
      const task = sampleRow('tasks', { status: 'ready', epoch: 7 });

      test.each([
        ['the epoch moved on', { epoch: 8 }],
        ['the status is another', { status: 'blocked' as const }],
      ])('fail whole when %s', async (_, stored) => {
        await insertRows(db, { tasks: [{ ...task, ...stored }], runs: [{}] });
        const run = sampleRow('runs');
        const failed = write(
          db,
          change('runs', run, { ...run, seq: 1 }),
          change('tasks', task, { ...task, reason: 'changed' }),
        );
        await expect(failed).rejects.toMatchObject({ name: 'StoreError', kind: 'retryable' });
        expect((await loadRows(db, 'runs', ['run_1'])).get('run_1')?.seq).toBe(0);
      });

      test('fail when a row to be changed or deleted is gone', async () => {
        const note = sampleRow('notes');
        await expect(write(db, change('notes', note, { ...note, text: 'x' }))).rejects.toThrow(
          'update_notes_whole: 0 of 1 rows',
        );
        const timer = sampleRow('timers');
        await expect(write(db, change('timers', timer, null))).rejects.toThrow(
          'delete_timers: 0 of 1 rows',
        );
      });

      test('replace a row of a queue that changes', async () => {
        await insertRows(db, { ready: [{}] });
        const ready = sampleRow('ready');
        await write(db, change('ready', ready, { ...ready, held: 'backoff' }));
        expect((await loadRows(db, 'ready', ['task_1'])).get('task_1')?.held).toBe('backoff');
      });

      test('take needs that another batch stored already', async () => {
        const needs = sampleRow('needs');
        await write(db, change('needs', null, needs));
        await write(db, change('needs', null, needs));
        expect((await loadRows(db, 'needs', ['needs_1'])).size).toBe(1);
      });

      test('refuse a second open attempt of a task', async () => {
        await insertRows(db, { attempts: [{ id: 'att_1', epoch: 1 }] });
        const second = sampleRow('attempts', { id: 'att_2', epoch: 2 });
        const failed = write(db, change('attempts', null, second));
        await expect(failed).rejects.toMatchObject({ constraint: 'attempts_one_open' });
        const first = sampleRow('attempts', { id: 'att_1', epoch: 1 });
        await write(
          db,
          change('attempts', null, second),
          change('attempts', first, { ...first, status: 'stopping' }),
        );
        expect((await loadRows(db, 'attempts', ['att_1', 'att_2'])).size).toBe(2);
      });

      test('keep documents to the letter and store what SQL cannot hold as U+FFFD', async () => {
        const output = sampleRow('outputs', {
          data: { z: 1, a: ['\u0000', '\ud800'], 'b\\u0000': '\\u0000' },
        });
        const note = sampleRow('notes', { text: 'a\u0000b\ud800' });
        const run = sampleRow('runs', { labels: { 'k\u0000': '\ud800', plain: '\\u0000' } });
        await write(
          db,
          change('outputs', null, output),
          change('notes', null, note),
          change('runs', null, run),
        );
        const outputs = await loadRows(db, 'outputs', [output.id]);
        expect(JSON.stringify(outputs.get(output.id)?.data)).toBe(JSON.stringify(output.data));
        expect((await loadRows(db, 'notes', ['note_1'])).get('note_1')?.text).toBe(
          'a\uFFFDb\uFFFD',
        );
        expect((await loadRows(db, 'runs', ['run_1'])).get('run_1')?.labels).toEqual({
          'k\uFFFD': '\uFFFD',
          plain: '\\u0000',
        });
      });

      test('leave out what did not change', () => {
        const run = sampleRow('runs');
        expect(writeStatements([change('runs', run, run)])).toEqual([]);
      });

      test('of the hot columns are HOT: no index is touched', async () => {
        const tasks = sampleRow('tasks', { status: 'ready', epoch: 1 });
        const attempts = sampleRow('attempts');
        const workers = sampleRow('workers');
        const runs = sampleRow('runs');
        await insertRows(db, {
          tasks: [tasks],
          attempts: [attempts],
          workers: [workers],
          runs: [runs],
        });
        const hot = statement({
          name: 'hotUpdates',
          args: () => [],
          row: z.strictObject({ table: z.string(), hot: z.int(), all: z.int() }),
          sql: `
            select t.name as table,
                   pg_stat_get_xact_tuples_hot_updated(t.name::regclass) as hot,
                   pg_stat_get_xact_tuples_updated(t.name::regclass) as all
              from unnest(array['tasks', 'attempts', 'workers', 'runs']) as t (name)`,
        });
        const [before, after] = await db.transaction(async (tx) => {
          const [first] = await tx.pipeline([bind(hot)]);
          await tx.pipeline(
            writeStatements([
              change('tasks', tasks, { ...tasks, status: 'running', attemptId: 'att_1' }),
              change('attempts', attempts, { ...attempts, leaseUntilMs: 1, missedBeats: 1 }),
              change('workers', workers, { ...workers, lastSeenAtMs: 1, presence: 'silent' }),
              change('runs', runs, { ...runs, status: 'waiting', seq: 9, bases: { a: 'b' } }),
            ]),
          );
          const [second] = await tx.pipeline([bind(hot)]);
          return [first, second];
        });
        const counts = after.map((row, at) => [
          row.table,
          row.hot - (before[at]?.hot ?? 0),
          row.all - (before[at]?.all ?? 0),
        ]);
        expect(counts).toEqual([
          ['tasks', 1, 1],
          ['attempts', 1, 1],
          ['workers', 1, 1],
          ['runs', 1, 1],
        ]);
      });
    });
  });
}
