import type { ReadyRow } from '@baton/kernel';
import type { BatchNames } from '@baton/store';
import { sampleRow } from '@baton/testkit';
import { beforeEach, expect, test } from 'vitest';
import { decided } from '../testing/decided.ts';
import { NotRemembered, RememberedReads } from './remembered-reads.ts';
import { createReplicaMemory, type ReplicaMemory } from './replica-memory.ts';

const worker = sampleRow('workers');
const run = sampleRow('runs');
const head: ReadyRow = sampleRow('ready', { taskId: 'task_1', needsId: 'needs_1' });
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
const feed = { nextPos: 12, incarnation: 1, mark: 'mark_2' };

let memory: ReplicaMemory;
let reads: RememberedReads;
beforeEach(() => {
  memory = createReplicaMemory(console);
  memory.learn(decided({ events: 1 }), { ...feed, nextPos: 11, mark: 'mark_1' });
  const seen = decided({
    events: 1,
    workers: new Map([[worker.id, 4]]),
    runs: new Map([[run.id, 6]]),
    changedRuns: [run.id],
    load(world) {
      world.putLoaded('workers', worker.id, worker);
      world.putSlots(new Map([[worker.id, []]]));
      world.putList('limitsOfProject', 'prj_1', []);
      world.putList('parkingsOfProject', 'prj_1', []);
      world.putLoaded('budgets', 'prj_1', null);
    },
    heads: [{ project: 'prj_1', needsIds: ['needs_1'], limit: 5, rows: [head] }],
  });
  memory.learn(seen, feed);
  reads = new RememberedReads(memory);
});

test('whatever is answered becomes a premise', async () => {
  expect(reads.premises()).toEqual({ feed, runs: new Map(), workers: new Map(), limitsOf: [] });
  const opened = await reads.open({ ...nothing, workers: [worker.id] });
  expect([opened.nowMs, opened.workers]).toEqual([undefined, new Map([[worker.id, 4]])]);
  const found = await reads.lockCandidates('prj_1', ['needs_1'], 5);
  expect(found).toEqual({ rows: [head], versions: new Map([[run.id, 7]]) });
  expect(await reads.lockFreeSlots('prj_1')).toEqual([]);
  expect(reads.premises()).toEqual({
    feed,
    runs: new Map([[run.id, 7]]),
    workers: new Map([[worker.id, 4]]),
    limitsOf: ['prj_1'],
  });
});

test('a worker whose row is only read is a premise too', async () => {
  expect(await reads.loadRows('workers', [worker.id])).toEqual(new Map([[worker.id, worker]]));
  expect(reads.premises().workers).toEqual(new Map([[worker.id, 4]]));
});

test('what a project without limits has none of is answered', async () => {
  const none = new Map([['prj_1', new Map()]]);
  expect(await reads.loadList('limitsOfProject', ['prj_1'])).toEqual(none);
  expect(await reads.loadList('parkingsOfProject', ['prj_1'])).toEqual(none);
  expect(await reads.loadRows('budgets', ['prj_1'])).toEqual(new Map());
  expect(await reads.loadSlots([worker.id])).toEqual(new Map([[worker.id, []]]));
});

const asked: readonly (readonly [string, (it: RememberedReads) => Promise<unknown>])[] = [
  ['tasks by name', (it) => it.open({ ...nothing, tasks: ['task_1'] })],
  ['attempts by name', (it) => it.open({ ...nothing, attempts: ['att_1'] })],
  ['checkpoints', (it) => it.open({ ...nothing, checkpoints: ['chk_1'] })],
  ['timers', (it) => it.open({ ...nothing, timers: ['tmr_1'] })],
  ['join tokens', (it) => it.open({ ...nothing, joinTokens: ['jtk_1'] })],
  ['names of workers', (it) => it.open({ ...nothing, workerNames: ['prj_1/hand'] })],
  ['limits to be changed', (it) => it.open({ ...nothing, limitsOf: ['prj_1'] })],
  ['a worker that is not known', (it) => it.open({ ...nothing, workers: ['wrk_9'] })],
  ['a run that is not known', (it) => it.lockRuns(['run_9'])],
  ['a queue that is not known', (it) => it.lockCandidates('prj_1', ['needs_9'], 1)],
  ['limits of a project that is not known', (it) => it.lockFreeSlots('prj_9')],
  ['a task', (it) => it.loadRows('tasks', ['task_1'])],
  ['the budget of a run', (it) => it.loadRows('budgets', [run.id])],
  ['the limits of a project that is not known', (it) => it.loadList('limitsOfProject', ['prj_9'])],
  ['another list', (it) => it.loadList('edgesIn', ['task_1'])],
  ['slots of a worker that is not known', (it) => it.loadSlots(['wrk_9'])],
  ['a queue to be looked at', (it) => it.seeQueue()],
  ['what has risen', (it) => it.lockRisen()],
];
test.each(asked)('%s: the store is to be asked', async (_, ask) => {
  await expect(ask(reads)).rejects.toBeInstanceOf(NotRemembered);
});

test('a head whose run is not known is no candidate to decide by', async () => {
  const stranger: ReadyRow = { ...head, taskId: 'task_2', runId: 'run_2', seq: head.seq + 1 };
  memory.learn(decided({ changes: [{ table: 'ready', id: 'task_2', row: stranger }] }), undefined);
  await expect(reads.lockCandidates('prj_1', ['needs_1'], 5)).rejects.toBeInstanceOf(NotRemembered);
});

test.each([
  ['doubted', (it: ReplicaMemory) => it.doubt()],
  ['forgotten', (it: ReplicaMemory) => it.forget()],
  [
    'learned anew behind events of others',
    (it: ReplicaMemory) => it.learn(decided({ events: 1 }), { ...feed, nextPos: 40 }),
  ],
])('what was read is not to be used once the memory was %s', async (_, change) => {
  await reads.lockRuns([run.id]);
  change(memory);
  expect(() => reads.premises()).toThrow(NotRemembered);
});
