import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CHAIN,
  freshDatabases,
  insertRows,
  SAMPLE_AT_MS,
  sampleRow,
  type OpenDatabase,
} from '@baton/testkit';
import { createReads, type Reads } from './reads.ts';
import { loadAssignmentRows } from './statements/assignment.ts';

const at = (n: number): number => SAMPLE_AT_MS + n;

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`reads on ${database.title}`, () => {
    let opened: OpenDatabase;
    let reads: Reads;
    beforeAll(async () => {
      opened = await database.open();
      reads = createReads(opened.db);
      await insertRows(opened.db, CHAIN);
    });
    afterAll(() => opened?.close());

    describe('ids', () => {
      test.each([
        ['runs', 'run_aaaa1111', ['run_aaaa1111']],
        ['runs', 'run_aaaa', ['run_aaaa1111', 'run_aaaa2222']],
        ['runs', 'run_aaa', []],
        ['runs', 'run_cccc4444', []],
        ['tasks', 'task_aaaa', ['task_aaaaaaaa']],
        ['tasks', 'dash-7', ['prj_1.dash-7']],
        ['tasks', 'prj_1.dash-7', ['prj_1.dash-7']],
        ['tasks', 'dash', []],
        ['tasks', 'task_aaaa%', []],
        ['workers', 'one', ['wrk_1']],
        ['workers', 'wrk_2', ['wrk_2']],
        ['checkpoints', 'chk_head', ['chk_head']],
        ['attempts', 'att_bbbb', ['att_bbbb']],
        ['artifacts', 'art_2', ['art_2']],
      ] as const)('of %s that fit %s are %j', async (kind, text, expected) => {
        expect(await reads.findIds(kind, 'prj_1', text)).toEqual(expected);
      });

      test('of what was deleted are found only by whoever purges it', async () => {
        await insertRows(opened.db, {
          runs: [{ id: 'run_hidden01', deletedAtMs: 1 }],
          tasks: [
            { id: 'task_hidden01', runId: 'run_hidden01' },
            { id: 'task_hidden02', runId: 'run_aaaa1111', deletedAtMs: 1 },
          ],
        });
        for (const id of ['task_hidden01', 'task_hidden02'] as const) {
          expect(await reads.findIds('tasks', 'prj_1', id)).toEqual([]);
          expect(await reads.findTask('prj_1', id)).toBeUndefined();
          expect(await reads.findIdsEver('tasks', 'prj_1', id)).toEqual([id]);
        }
        expect(await reads.findIds('runs', 'prj_1', 'run_hidden01')).toEqual([]);
        expect(await reads.findRun('prj_1', 'run_hidden01')).toBeUndefined();
        expect(await reads.findIdsEver('runs', 'prj_1', 'run_hidden')).toEqual(['run_hidden01']);
        await opened.db.exclusive((admin) =>
          admin.script(
            `delete from tasks where id like 'task_hidden%'; delete from runs where id = 'run_hidden01'`,
          ),
        );
      });

      test('that a client chose are found by their beginning', async () => {
        await insertRows(opened.db, { tasks: [{ id: 'prj_1.nightly-build-1', key: 'n' }] });
        expect(await reads.findIds('tasks', 'prj_1', 'nightly-')).toEqual([
          'prj_1.nightly-build-1',
        ]);
        expect(await reads.findIds('tasks', 'prj_2', 'nightly-')).toEqual([]);
        await opened.db.exclusive((admin) =>
          admin.script(`delete from tasks where id = 'prj_1.nightly-build-1'`),
        );
      });
    });

    describe('runs', () => {
      const listed = async (
        filter: Parameters<Reads['listRuns']>[1],
        limit = 10,
        after?: { atMs: number; id: string },
      ): Promise<string[]> =>
        (await reads.listRuns('prj_1', filter, limit, after)).map((it) => it.run.id);

      test('come with the number of their tasks in each status', async () => {
        expect(await reads.findRun('prj_1', 'run_aaaa1111')).toEqual({
          run: sampleRow('runs', CHAIN.runs?.[0]),
          counts: { completed: 1, waiting: 1, blocked: 1 },
        });
        expect(await reads.findRun('prj_1', 'run_bbbb3333')).toMatchObject({ counts: {} });
        expect(await reads.findRun('prj_2', 'run_aaaa1111')).toBeUndefined();
      });

      test('are listed newest first, page by page', async () => {
        expect(await listed({})).toEqual(['run_bbbb3333', 'run_aaaa2222', 'run_aaaa1111']);
        expect(await listed({}, 1)).toEqual(['run_bbbb3333']);
        expect(await listed({}, 1, { atMs: at(2), id: 'run_bbbb3333' })).toEqual(['run_aaaa2222']);
        expect(await listed({}, 9, { atMs: at(2), id: 'run_aaaa2222' })).toEqual(['run_aaaa1111']);
      });

      test('are filtered by status, label and text', async () => {
        expect(await listed({ status: ['failed', 'waiting'] })).toEqual([
          'run_bbbb3333',
          'run_aaaa2222',
        ]);
        expect(await listed({ label: 'team' })).toEqual(['run_aaaa1111']);
        expect(await listed({ label: 'team=red' })).toEqual(['run_aaaa1111']);
        expect(await listed({ label: 'team=blue' })).toEqual([]);
        expect(await listed({ text: '100% OF' })).toEqual(['run_aaaa2222']);
        expect(await listed({ text: '10_%' })).toEqual([]);
      });

      test('are read whole: tasks in plan order, edges with the keys of their ends', async () => {
        const tasks = await reads.tasksOfRun('run_aaaa1111');
        expect(tasks.map((it) => it.task.key)).toEqual(['a', 'b', 'c']);
        const edges = await reads.edgesOfRun('run_aaaa1111');
        expect(edges.map((it) => [it.upstreamKey, it.downstreamKey])).toEqual([
          ['a', 'b'],
          ['b', 'c'],
        ]);
        expect(edges[0]?.edge).toEqual(sampleRow('dependencies', CHAIN.dependencies?.[0]));
      });
    });

    describe('tasks', () => {
      const listed = async (filter: Parameters<Reads['listTasks']>[1]): Promise<string[]> =>
        (await reads.listTasks('prj_1', filter, 10, undefined)).map((it) => it.task.key);

      test('come with spec, worker and the result that stands', async () => {
        expect(await reads.findTask('prj_1', 'task_aaaaaaaa')).toEqual({
          task: sampleRow('tasks', CHAIN.tasks?.[0]),
          spec: sampleRow('taskSpecs', CHAIN.taskSpecs?.[0]),
          workerName: 'one',
          lineageRoot: 'run_1',
          result: { status: 'success', summary: 'designed' },
        });
        expect(await reads.findTask('prj_2', 'task_aaaaaaaa')).toBeUndefined();
      });

      test.each([
        [{}, ['d', 'c', 'b', 'a']],
        [{ run: 'run_aaaa1111' }, ['c', 'b', 'a']],
        [{ run: 'run_cccc4444' }, []],
        [{ status: ['completed', 'waiting'] }, ['b', 'a']],
        [{ role: ['verifier'] }, ['b']],
        [{ engine: 'claude' }, ['b']],
        [{ engine: 'shell' }, ['a']],
        [{ worker: 'two' }, ['c', 'b']],
        [{ worker: 'wrk_1' }, ['a']],
        [{ origin: 'ses_1' }, ['a']],
        [{ parent: 'task_aaaaaaaa' }, ['c']],
        [{ priority: ['critical'] }, ['b']],
        [{ priority: ['normal', 'low'] }, ['d', 'c', 'a']],
        [{ label: 'area' }, ['b']],
        [{ label: 'area=web' }, []],
        [{ needsHuman: true }, ['d', 'b']],
        [{ needsHuman: false, run: 'run_aaaa1111' }, ['c', 'a']],
        [{ text: 'api_V' }, ['b']],
        [{ text: 'desi' }, ['a']],
      ])('filtered by %j are %j', async (filter, expected) => {
        expect(await listed(filter)).toEqual(expected);
      });

      test('are listed page by page', async () => {
        const first = await reads.listTasks('prj_1', {}, 2, undefined);
        const last = first.at(-1)?.task;
        const after = { atMs: last?.createdAtMs ?? 0, id: last?.id ?? '' };
        const rest = await reads.listTasks('prj_1', {}, 2, after);
        expect([...first, ...rest].map((it) => it.task.key)).toEqual(['d', 'c', 'b', 'a']);
      });

      test('come with edges, outputs, notes and files of their own', async () => {
        expect((await reads.edgesOfTask('prj_1.dash-7')).map((it) => it.edge.id)).toEqual([
          'dep_ab',
          'dep_bc',
        ]);
        expect((await reads.findEdge('run_aaaa1111', 'dep_ab'))?.upstreamKey).toBe('a');
        expect(await reads.findEdge('run_aaaa2222', 'dep_ab')).toBeUndefined();
        expect((await reads.outputsOfTasks(['task_aaaaaaaa'])).map((it) => it.id)).toEqual(['o1']);
        const notes = await reads.notesOfTask('prj_1.dash-7', 2, { atMs: at(1), id: 'note_1' });
        expect(notes.map((it) => it.id)).toEqual(['note_2', 'note_3']);
        expect((await reads.findNote('prj_1.dash-7', 'note_2'))?.createdAtMs).toBe(at(2));
        expect(await reads.findNote('task_aaaaaaaa', 'note_2')).toBeUndefined();
        const files = await reads.artifactsOfTask('task_aaaaaaaa');
        expect(files.map((it) => it.id)).toEqual(['art_2', 'art_1']);
        expect((await reads.artifactsOfRun('run_aaaa1111')).length).toBe(2);
        expect((await reads.findArtifact('prj_1', 'art_1'))?.kind).toBe('patch');
        expect(await reads.findArtifact('prj_2', 'art_1')).toBeUndefined();
      });
    });

    describe('attempts', () => {
      test('are listed newest first; a worker that is gone is named by its id', async () => {
        const found = await reads.attemptsOfTask('prj_1.dash-7', 10, undefined);
        expect(found.map((it) => [it.attempt.id, it.workerName, it.taskKey])).toEqual([
          ['att_bbbb', 'two', 'b'],
          ['att_lost', 'wrk_gone', 'b'],
        ]);
        const after = { atMs: at(6), id: 'att_bbbb' };
        const rest = await reads.attemptsOfTask('prj_1.dash-7', 10, after);
        expect(rest.map((it) => it.attempt.id)).toEqual(['att_lost']);
        expect((await reads.findAttempt('att_lost'))?.attempt).toEqual(
          sampleRow('attempts', CHAIN.attempts?.[1]),
        );
      });

      test('say what a worker holds', async () => {
        expect(await reads.claimedOfWorker('wrk_2', 10)).toEqual(['att_cccc']);
        expect(await reads.worksOnRun('wrk_2', 'run_aaaa1111')).toBe(true);
        expect(await reads.worksOnRun('wrk_1', 'run_aaaa1111')).toBe(false);
      });

      test('come with all that their assignment is made of', async () => {
        await opened.db.exclusive((admin) =>
          admin.script(`
            insert into log_chunks (attempt_id, stream, start_offset, seq, run_id, at, data)
            values ('att_aaaa', 'stdout', 0, 1, 'run_aaaa1111', now(), 'one\ntwo\nth'),
                   ('att_aaaa', 'stdout', 10, 2, 'run_aaaa1111', now(), 'ree\n')`),
        );
        const rows = await loadAssignmentRows(opened.db, 'att_bbbb');
        expect(rows).toMatchObject({
          attempt: { id: 'att_bbbb' },
          task: { key: 'b' },
          spec: { title: 'Build' },
          run: { id: 'run_aaaa1111' },
          edgesIn: [{ id: 'dep_ab' }],
          upstreamTasks: [{ key: 'a' }],
          upstreamAttempts: [{ id: 'att_aaaa' }],
          upstreamOutputs: [{ id: 'o1' }],
          upstreamArtifacts: [{ id: 'art_2' }],
          previousAttempt: { id: 'att_lost' },
          logTails: { task_aaaaaaaa: ['two', 'three'] },
        });
        expect(rows?.notes.length).toBe(3);
        const first = await loadAssignmentRows(opened.db, 'att_aaaa');
        expect(first).toMatchObject({ edgesIn: [], previousAttempt: null });
        expect(await loadAssignmentRows(opened.db, 'att_none')).toBeUndefined();
      });
    });

    describe('checkpoints', () => {
      test('in the inbox come by what they hold up, then by age', async () => {
        const open = await reads.listCheckpoints('prj_1', { status: 'open' }, 10, 0);
        expect(open.map((it) => [it.checkpoint.id, it.taskKey, it.holdsUp])).toEqual([
          ['chk_head', 'b', 1],
          ['chk_tail', 'd', 0],
        ]);
        const second = await reads.listCheckpoints('prj_1', { status: 'open' }, 1, 1);
        expect(second.map((it) => it.checkpoint.id)).toEqual(['chk_tail']);
        const ofRun = { status: 'open', run: 'run_aaaa2222' } as const;
        expect((await reads.listCheckpoints('prj_1', ofRun, 10, 0)).length).toBe(1);
        expect(await reads.listCheckpoints('prj_2', { status: 'open' }, 10, 0)).toEqual([]);
      });

      test('are found alone, of a run, of a task, and closed ones of attempts', async () => {
        expect((await reads.findCheckpoint('prj_1', 'chk_head'))?.checkpoint).toEqual(
          sampleRow('checkpoints', CHAIN.checkpoints?.[1]),
        );
        expect((await reads.findCheckpoint('prj_1', 'chk_done'))?.holdsUp).toBe(0);
        expect(await reads.findCheckpoint('prj_2', 'chk_head')).toBeUndefined();
        const ofRun = await reads.checkpointsOfRun('run_aaaa1111');
        expect(ofRun.map((it) => it.checkpoint.id)).toEqual(['chk_done', 'chk_head']);
        const ofTask = await reads.openCheckpointsOfTask('prj_1.dash-7');
        expect(ofTask.map((it) => it.id)).toEqual(['chk_head']);
        const closed = await reads.closedCheckpointsOfAttempts(['att_bbbb']);
        expect(closed.map((it) => it.checkpoint.id)).toEqual(['chk_done']);
      });
    });

    describe('workers', () => {
      test('are listed by name with what they hold; silent ephemeral ones have left', async () => {
        const all = await reads.listWorkers('prj_1', 10, undefined);
        expect(all.map((it) => [it.worker.name, it.attempts])).toEqual([
          ['one', []],
          ['two', ['att_bbbb', 'att_cccc']],
        ]);
        expect((await reads.listWorkers('prj_1', 10, 'one')).length).toBe(1);
        expect((await reads.findWorker('prj_1', 'wrk_3'))?.worker.name).toBe('gone');
        expect(await reads.findWorker('prj_2', 'wrk_1')).toBeUndefined();
        expect((await reads.findWorkerByName('prj_2', 'one'))?.worker.id).toBe('wrk_4');
      });

      test('are missed by work that is ready, counted by its needs', async () => {
        const { needs } = sampleRow('needs');
        expect(await reads.waitingNeeds('prj_1')).toEqual([
          { needs, tasks: 2 },
          { needs, tasks: 1 },
        ]);
      });
    });
  });
}
