import type { SlotRow, Tables, WorkerRow } from '@baton/kernel';
import { sampleRow } from '@baton/testkit';
import { expect, test } from 'vitest';
import { decided, type MadeUp } from '../testing/decided.ts';
import { createReplicaMemory, type ReplicaMemory } from './replica-memory.ts';

const incarnation = 1;
const worker = sampleRow('workers');
const attempt = sampleRow('attempts');
const slot = ({ id, workerId, status, parkMode }: Tables['attempts']): SlotRow => ({
  id,
  workerId,
  status,
  parkMode,
});

/** Has a memory take up batches that tell one event each, one right behind the other. */
function learnAll(memory: ReplicaMemory, batches: readonly MadeUp[]): void {
  for (const it of batches) {
    const nextPos = (memory.feed?.nextPos ?? 1) + 1;
    const mark = `mark_${nextPos}`;
    memory.learn(decided({ ...it, events: 1 }), { nextPos, incarnation, mark });
  }
}
const locked = (row: WorkerRow, changes: number): MadeUp => ({
  workers: new Map([[row.id, changes]]),
  load: (world) => world.putLoaded('workers', row.id, row),
});
const steady = (): ReplicaMemory => {
  const memory = createReplicaMemory(console);
  learnAll(memory, [{}, {}]);
  return memory;
};

test('nothing of the feed is believed of the first batch, and of one that follows right behind it', () => {
  const memory = createReplicaMemory(console);
  learnAll(memory, [locked(worker, 3)]);
  expect([memory.isSteady, memory.worker(worker.id)]).toEqual([false, undefined]);
  learnAll(memory, [locked(worker, 3)]);
  expect(memory.isSteady).toBe(true);
  expect(memory.worker(worker.id)).toEqual({ row: worker, changes: 3 });
});

test.each([
  ['other events between two batches', { nextPos: 9, incarnation, mark: 'm' }],
  ['another history', { nextPos: 4, incarnation: 2, mark: 'm' }],
])('%s: everything is forgotten but the end of the feed', (_, feed) => {
  const memory = steady();
  learnAll(memory, [locked(worker, 0)]);
  const { age } = memory;
  memory.learn(decided({ ...locked(worker, 0), events: 1 }), {
    ...feed,
    nextPos: feed.nextPos + 1,
  });
  expect([memory.isSteady, memory.worker(worker.id)]).toEqual([false, undefined]);
  expect(memory.feed?.nextPos).toBe(feed.nextPos + 1);
  expect(memory.age).toBeGreaterThan(age);
});

test('a batch without events is taken up where the feed stands', () => {
  const memory = steady();
  const { feed } = memory;
  const changed: WorkerRow = { ...worker, lastSeenAtMs: 5 };
  const beat = decided({
    ...locked(worker, 7),
    changes: [{ table: 'workers', id: worker.id, row: changed }],
  });
  memory.learn(beat, undefined);
  expect(memory.feed).toBe(feed);
  expect(memory.worker(worker.id)).toEqual({ row: changed, changes: 8 });
});

test('a worker that was changed without its lock, or removed, is not known any more', () => {
  const memory = steady();
  const change = { table: 'workers', id: worker.id, row: { ...worker, slots: 9 } } as const;
  learnAll(memory, [
    locked(worker, 0),
    { load: (world) => world.putLoaded('workers', worker.id, worker), changes: [change] },
  ]);
  expect(memory.worker(worker.id)).toBeUndefined();
  learnAll(memory, [
    locked(worker, 1),
    { ...locked(worker, 1), changes: [{ ...change, row: null }] },
  ]);
  expect(memory.worker(worker.id)).toBeUndefined();
});

test('slots of a worker follow what is claimed and what ends, once they were listed', () => {
  const memory = steady();
  const claimed = { table: 'attempts', id: attempt.id, row: attempt } as const;
  const runs = new Map([[attempt.runId, 0]]);
  learnAll(memory, [{ runs, changedRuns: [attempt.runId], changes: [claimed] }]);
  expect(memory.slotsOf(attempt.workerId)).toBeUndefined();
  const listed: MadeUp = {
    load: (world) => world.putSlots(new Map([[attempt.workerId, [slot(attempt)]]])),
  };
  learnAll(memory, [listed]);
  expect(memory.slotsOf(attempt.workerId)).toEqual([slot(attempt)]);
  const another = { ...attempt, id: 'att_2' };
  const next: MadeUp = { changes: [{ table: 'attempts', id: 'att_2', row: another }] };
  learnAll(memory, [next]);
  expect(memory.slotsOf(attempt.workerId)?.map((it) => it.id)).toEqual([attempt.id, 'att_2']);
  const ended: MadeUp = {
    load: (world) => world.putLoaded('attempts', attempt.id, attempt),
    changes: [{ table: 'attempts', id: attempt.id, row: { ...attempt, status: 'succeeded' } }],
  };
  learnAll(memory, [ended]);
  expect(memory.slotsOf(attempt.workerId)?.map((it) => it.id)).toEqual(['att_2']);
});

test('a project is open until a limit, a provider or money of its own holds something back in it', () => {
  const settings = [
    ['limits', sampleRow('limits')],
    ['parkings', sampleRow('parkings')],
    ['budgets', sampleRow('budgets', { id: 'prj_1', projectId: 'prj_1' })],
  ] as const;
  const open: MadeUp = {
    load(world) {
      world.putList('limitsOfProject', 'prj_1', []);
      world.putList('parkingsOfProject', 'prj_1', []);
      world.putLoaded('budgets', 'prj_1', null);
    },
  };
  for (const [table, row] of settings) {
    const memory = steady();
    expect(memory.isUnlimited('prj_1')).toBe(false);
    learnAll(memory, [open]);
    expect(memory.isUnlimited('prj_1')).toBe(true);
    learnAll(memory, [{ changes: [{ table, id: row.id, row } as never] }]);
    expect([table, memory.isUnlimited('prj_1')]).toEqual([table, false]);
  }
});

test('a batch that failed takes everything with it, also what is true under a version only', () => {
  const memory = steady();
  const run = sampleRow('runs');
  const made: MadeUp = { changes: [{ table: 'runs', id: run.id, row: run }] };
  learnAll(memory, [made, locked(worker, 0)]);
  expect(memory.runs.versionOf(run.id)).toBe(0);
  memory.doubt();
  expect([memory.feed, memory.worker(worker.id)]).toEqual([undefined, undefined]);
  expect(memory.runs.versionOf(run.id)).toBe(0);
  memory.forget();
  expect(memory.runs.versionOf(run.id)).toBeUndefined();
});

test('a queue that was seen before the last batches is brought up to them, and not from too long ago', () => {
  const memory = steady();
  const [one, two, three] = ['one', 'two', 'three'].map((taskId, seq) =>
    sampleRow('ready', { taskId, seq }),
  );
  if (one === undefined || two === undefined || three === undefined) throw new Error('three rows');
  const name = { project: one.projectId, needsId: one.needsId };
  const heads = (): readonly string[] | undefined =>
    memory.queue.heads(name.project, name.needsId, 9)?.map((it) => it.taskId);
  const { feed: before } = memory;
  if (before === undefined) throw new Error('the feed is known');
  learnAll(memory, [
    {
      load: (world) => world.putLoaded('ready', one.taskId, one),
      changes: [
        { table: 'ready', id: one.taskId, row: null },
        { table: 'ready', id: three.taskId, row: three },
      ],
    },
  ]);
  memory.sawQueue(before, name, [one, two], 9);
  expect(heads()).toEqual(['two', 'three']);
  memory.sawQueue({ ...before, mark: 'told elsewhere' }, name, [one], 9);
  expect(heads()).toEqual(['two', 'three']);
  memory.doubt();
  memory.sawQueue(before, name, [one, two], 9);
  expect(heads()).toBeUndefined();
});
