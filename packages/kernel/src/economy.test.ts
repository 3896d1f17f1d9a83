import { runCreate, taskCreate, type TaskSpecInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { faultsOf } from './testing/check-state.ts';
import { graphOf, Model } from './testing/model.ts';

/** Each round of loading is a round trip to the database while locks are held. */
const roundsMax = 12;

function chain(
  length: number,
  task: TaskSpecInput = {},
): [Record<string, TaskSpecInput>, string[]] {
  const tasks: Record<string, TaskSpecInput> = {};
  const edges: string[] = [];
  for (let at = 0; at < length; at++) {
    tasks[`t${at}`] = at === 0 ? {} : task;
    if (at > 0) edges.push(`t${at - 1} -> t${at}`);
  }
  return [tasks, edges];
}

describe('reads are few, however large or deep a run is', () => {
  test('a failure at the head of a chain of 500', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph(...chain(500));
    for (const attempt of model.dispatch()) model.fail(attempt);
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
    expect(model.runRow(run)).toMatchObject({ status: 'failed', openTasks: 0 });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a chain of 500 joins', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph(...chain(500, { kind: 'join' }));
    for (const attempt of model.dispatch()) model.complete(attempt);
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
    expect(model.runRow(run).status).toBe('completed');
  });

  test('a chain of 500 that is cancelled from its head, retried and reset', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph(...chain(500));
    const task = model.byKey(run, 't0').id;
    model.submit('task.cancel', { task, reason: null });
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
    model.submit('task.retry', { task, reason: null, downstream: 'reset' });
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
    expect(model.runRow(run)).toMatchObject({ openTasks: 500, activeTasks: 1 });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('60 tasks with needs of their own', () => {
    const model = new Model();
    const tasks = Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [`t${at}`, { needs: { repo: `r${at}` } }]),
    );
    model.graph(tasks);
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
    model.worker('w', { slots: 60, repos: Object.keys(tasks).map((key) => key.replace('t', 'r')) });
    expect(model.dispatch()).toHaveLength(60);
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
  });

  test('a task that depends on 200 others', () => {
    const model = new Model();
    const tasks = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`t${at}`, {}]));
    const run = model.graph(tasks);
    const ids = model.world.list('tasksOfRun', run).map((it) => it.id);
    model.submit('task.create', { body: taskCreate.parse({ title: 'all', depends_on: ids }) });
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
  });

  test('a worker that comes back without its 100 attempts', () => {
    const model = new Model();
    const worker = model.worker('w', { slots: 100 });
    model.graph(Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`t${at}`, {}])));
    for (const attempt of model.dispatch()) model.start(attempt);
    model.worker('w', { slots: 100 });
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
    expect(model.world.all('attempts').every((it) => it.status === 'lost')).toBe(true);
    expect(model.world.row('workers', worker)?.incarnation).toBe('w-1');
  });

  test('cancelling a run of 300 tasks of all kinds', () => {
    const model = new Model();
    model.worker('w', { slots: 50 });
    const kinds: TaskSpecInput[] = [
      {},
      { kind: 'human', spec: 'x', timeouts: { approval: 9 } },
      { approval: { dispatch: true } },
      { timeouts: { run: 9, queue: 9 } },
    ];
    const tasks = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`t${at}`, kinds[at % 4] ?? {}]),
    );
    const run = model.graph(tasks);
    model.dispatch();
    model.submit('run.cancel', { run, reason: null });
    expect(model.lastRounds).toBeLessThanOrEqual(roundsMax);
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('what a command will read is said before it is decided', () => {
  test('ordinary work needs no round after its plan', () => {
    const model = new Model();
    model.usesPlan = true;
    model.worker('w', { slots: 4 });
    const plan = graphOf({ a: { outputs: [{ key: 'x' }] }, b: {}, c: {}, d: {} }, [
      'a -input:x-> b',
      'a -> c',
      'b -> d',
      'c -> d',
    ]);
    model.submit('run.create', { body: runCreate.parse({ plan }) });
    const [first] = model.dispatch();
    if (first === undefined) throw new Error('nothing was handed out');
    const body = { epoch: first.epoch };
    const by = model.by(first);
    const rounds: Record<string, number> = {};
    const note = (name: string) => (rounds[name] = model.lastRounds);
    model.submit('attempt.start', { ...by, body });
    note('start');
    model.submit('attempt.progress', { ...by, body: { ...body, progress: { text: 'half' } } });
    note('progress');
    model.submit('attempt.output', { ...by, body: { ...body, key: 'x', data: 1 } });
    note('output');
    model.submit('attempt.complete', {
      ...by,
      body: { ...body, result: { status: 'success', summary: '' } },
    });
    note('complete');
    const [second] = model.dispatch();
    if (second === undefined) throw new Error('nothing was handed out');
    const named = { id: second.id, epoch: second.epoch, progress: { text: 'on it' } };
    model.submit('worker.heartbeat', { worker: first.workerId, beat: { attempts: [named] } });
    note('heartbeat');
    expect(rounds).toEqual({ start: 0, progress: 0, output: 0, complete: 0, heartbeat: 0 });
  });

  test('handing out tasks without upstreams takes one round after the queue and its needs', () => {
    const model = new Model();
    model.usesPlan = true;
    model.worker('w', { slots: 50 });
    model.graph(Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`t${at}`, {}])));
    expect(model.dispatch()).toHaveLength(50);
    expect(model.lastRounds).toBe(3);
  });
});
