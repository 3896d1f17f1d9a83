import { taskCreate, type TaskCreateInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

function only(model: Model): AttemptRow {
  const [attempt] = model.dispatch();
  if (attempt === undefined) throw new Error('nothing was handed out');
  return attempt;
}
const row = (model: Model, id: string) => {
  const task = model.world.row('tasks', id);
  if (task === null) throw new Error(`there is no ${id}`);
  return task;
};
function refused(model: Model, body: TaskCreateInput) {
  return model.refusal('task.create', { body: taskCreate.parse(body) });
}

describe('task.create', () => {
  test('opens a run of its own, named by its title', () => {
    const model = new Model();
    const id = model.task({ title: 'Gateway routes!', spec: 'Add the routes.' });
    const task = row(model, id);
    expect(task.key).toMatch(/^gateway-routes-[a-z0-9]+$/);
    expect(model.runRow(task.runId)).toMatchObject({ goal: 'Gateway routes!', planVersion: 0 });
    expect(model.told().map((it) => it.split(' ')[0])).toEqual([
      'run.created',
      'task.created',
      'run.started',
      'task.ready',
    ]);
  });

  test('joins the run of what it depends on, which reopens when it has ended', () => {
    const model = new Model();
    model.worker('w');
    const a = model.task({ title: 'a', outputs: [{ key: 'x' }] });
    model.complete(only(model), { x: 'data' });
    const run = row(model, a).runId;
    expect(model.runRow(run).status).toBe('completed');
    const mark = model.events.length;
    const b = model.task({
      title: 'b',
      depends_on: [a, { task: a, type: 'input', contract_key: 'x' }],
    });
    expect(row(model, b)).toMatchObject({ runId: run, status: 'ready', position: 1, pending: 0 });
    expect(model.told(mark).map((it) => it.split(' ')[0])).toEqual([
      'run.reopened',
      'task.created',
      'dependency.added',
      'dependency.added',
      'task.ready',
    ]);
    expect(model.events.slice(mark)[1]?.data['status']).toBe('ready');
    expect(only(model).manifest).toMatchObject({ inputs: { x: { key: 'x' } } });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('waits for what is open, and is out of play behind what cannot start', () => {
    const model = new Model();
    model.worker('w');
    const a = model.task({ title: 'a' });
    const b = model.task({ title: 'b', depends_on: [a] });
    model.task({ title: 'other', run: row(model, a).runId, dispatch: 'manual' });
    expect(row(model, b)).toMatchObject({ status: 'blocked', pending: 1 });
    model.fail(only(model));
    const c = model.task({ title: 'c', depends_on: [b] });
    expect(row(model, c)).toMatchObject({ status: 'blocked', outOfPlay: true });
    expect(faultsOf(model.world)).toEqual([]);
    expect(refused(model, { title: 'd', depends_on: [a] })).toMatchObject({
      code: 'wrong_status',
      message: expect.stringContaining('retry'),
    });
    const cleanup = model.task({ title: 'e', depends_on: [{ task: a, on: 'done' }] });
    expect(row(model, cleanup).status).toBe('ready');
  });

  test('keys are unique in a run, chosen or not', () => {
    const model = new Model();
    const a = model.task({ id: 'api', title: 'x' });
    expect(row(model, a)).toMatchObject({ id: 'prj_test.api', key: 'api' });
    const run = row(model, a).runId;
    expect(refused(model, { key: 'api', run }).code).toBe('duplicate_key');
    expect(refused(model, { id: 'api' }).code).toBe('already_exists');
    const other = model.graph({ web: {} });
    const b = model.task({ id: 'web', title: 'Web', run: other });
    expect(row(model, b).key).toMatch(/^web-/);
  });

  test.each<[string, TaskCreateInput, string]>([
    ['an upstream that does not exist', { depends_on: ['task_none'] }, 'unknown_task'],
    ['a run that does not exist', { run: 'run_none' }, 'not_found'],
    ['an unknown engine', { needs: { engine: 'x' } }, 'unknown_engine'],
    ['a bad schema', { outputs: [{ key: 'x', schema: { type: 'y' } }] }, 'invalid_schema'],
  ])('%s is refused', (_, body, code) => {
    expect(refused(new Model(), body).code).toBe(code);
  });

  test('dependencies never cross runs', () => {
    const model = new Model();
    const a = model.task({ title: 'a' });
    const b = model.task({ title: 'b' });
    expect(refused(model, { depends_on: [a, b] }).code).toBe('cannot_move');
    expect(refused(model, { depends_on: [a], run: row(model, b).runId }).code).toBe('cannot_move');
  });
});

describe('dependency.add', () => {
  const edge = (task: string, upstream: string, more: object = {}) => ({
    task,
    body: { upstream, type: 'blocks' as const, on: 'success' as const, ...more },
  });

  test('makes a task that has not started wait', () => {
    const model = new Model();
    const run = model.graph({ a: {}, b: { approval: { dispatch: true } }, c: {} });
    const id = (key: string) => model.byKey(run, key).id;
    const added = model.submit('dependency.add', edge(id('b'), id('a')));
    expect(model.byKey(run, 'b')).toMatchObject({ status: 'blocked', checkpointId: null });
    expect(model.submit('dependency.add', edge(id('b'), id('a')))).toEqual({
      ...added,
      already: true,
    });
    expect(model.refusal('dependency.add', edge(id('a'), id('b')))).toMatchObject({
      code: 'cycle',
      detail: { cycle: ['a', 'b', 'a'] },
    });
    expect(model.refusal('dependency.add', edge(id('a'), id('a'))).code).toBe('cycle');
    expect(
      model.refusal('dependency.add', edge(id('b'), id('a'), { type: 'input', contract_key: 'x' }))
        .code,
    ).toBe('unknown_contract');
    model.submit('dependency.remove', { task: id('b'), dependency: added.dependency ?? '' });
    expect(model.byKey(run, 'b').status).toBe('awaiting_approval');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('to what runs or has ended is refused with the way out', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {}, b: {} });
    only(model);
    const refusal = model.refusal(
      'dependency.add',
      edge(model.byKey(run, 'a').id, model.byKey(run, 'b').id),
    );
    expect(refusal.code).toBe('wrong_status');
    expect(refusal.message).toContain('retry');
  });

  test('between two single tasks moves the one that has not started over', () => {
    const model = new Model();
    const a = model.task({ key: 'x', title: 'a' });
    const b = model.task({ key: 'x', title: 'b', timeouts: { queue: 60 } });
    const from = row(model, b).runId;
    model.submit('task.note', { task: b, text: 'mind this', urgent: false });
    model.submit('dependency.add', edge(b, a));
    const run = row(model, a).runId;
    expect(row(model, b)).toMatchObject({ runId: run, key: 'x-2', status: 'blocked' });
    expect(model.world.row('taskSpecs', b)?.runId).toBe(run);
    expect(model.world.list('notesOfTask', b)[0]?.runId).toBe(run);
    expect(model.runRow(from)).toMatchObject({
      status: 'cancelled',
      taskCount: 0,
      reason: `moved_to:${run}`,
    });
    expect(model.runRow(run)).toMatchObject({ taskCount: 2, openTasks: 2 });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a run that has ended reopens for the task that moves into it', () => {
    const model = new Model();
    model.worker('w');
    const a = model.task({ title: 'a' });
    model.complete(only(model));
    const b = model.task({ title: 'b' });
    model.submit('dependency.add', edge(b, a));
    expect(row(model, b)).toMatchObject({ runId: row(model, a).runId, status: 'ready' });
    expect(model.runRow(row(model, a).runId).status).toBe('running');
    expect(model.told()).toContain('run.reopened');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a task of a graph does not move', () => {
    const model = new Model();
    const run = model.graph({ a: {}, b: {} });
    const single = model.task({ title: 'single' });
    const a = model.byKey(run, 'a').id;
    expect(model.refusal('dependency.add', edge(a, single)).code).toBe('cannot_move');
    expect(model.refusal('dependency.add', edge(single, a)).code).toBe('cannot_move');
  });

  test('removing the edge that kept a task out of play brings it back', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {}, b: {}, c: {}, d: { dispatch: 'manual' } }, [
      'a -> b',
      'b -> c',
    ]);
    model.fail(only(model));
    const [dependency] = model.world.list('edgesIn', model.byKey(run, 'b').id);
    model.submit('dependency.remove', {
      task: model.byKey(run, 'b').id,
      dependency: dependency?.id ?? '',
    });
    expect(model.statuses(run)).toMatchObject({ b: 'ready', c: 'blocked' });
    expect(model.byKey(run, 'c').outOfPlay).toBe(false);
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('task.assign', () => {
  test('frees a task that is handed out by hand, for that worker only', () => {
    const model = new Model();
    const other = model.worker('other');
    const meant = model.worker('meant');
    const run = model.graph({ a: { dispatch: 'manual' } });
    const task = model.byKey(run, 'a').id;
    expect(model.statuses(run)).toEqual({ a: 'ready (waiting_for_assignment)' });
    model.submit('task.assign', { task, worker: 'meant' });
    expect(model.submit('task.assign', { task, worker: 'meant' }).already).toBe(true);
    expect(model.runRow(run).status).toBe('running');
    expect(model.dispatch(other)).toEqual([]);
    expect(model.dispatch(meant)).toHaveLength(1);
    const assigned = model.events.find((it) => it.type === 'task.assigned');
    expect(assigned?.data).toMatchObject({ worker_name: 'meant', by: 'person' });
    expect(model.submit('task.assign', { task, worker: 'meant' }).already).toBe(true);
    expect(model.refusal('task.assign', { task, worker: 'other' })).toMatchObject({
      code: 'wrong_status',
      message: expect.stringContaining('on meant'),
    });
  });

  test('an unknown name is answered with the known ones', () => {
    const model = new Model();
    model.worker('b');
    model.worker('a');
    const run = model.graph({ t: {} });
    expect(
      model.refusal('task.assign', { task: model.byKey(run, 't').id, worker: 'c' }),
    ).toMatchObject({ code: 'unknown_worker', detail: { known: ['a', 'b'] } });
  });

  test('taking the assignment back opens it to all, or holds it again', () => {
    const model = new Model();
    const other = model.worker('other');
    model.worker('meant');
    const run = model.graph({ auto: {}, manual: { dispatch: 'manual' } });
    for (const key of ['auto', 'manual']) {
      const task = model.byKey(run, key).id;
      model.submit('task.assign', { task, worker: 'meant' });
      model.submit('task.assign', { task, worker: null });
    }
    expect(model.statuses(run)).toEqual({
      auto: 'ready',
      manual: 'ready (waiting_for_assignment)',
    });
    expect(model.dispatch(other)).toHaveLength(1);
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('remarks', () => {
  test('a note on a running task is told to its worker', () => {
    const model = new Model();
    const worker = model.worker('w');
    const run = model.graph({ a: {} });
    const task = model.byKey(run, 'a').id;
    model.submit('task.note', { task, text: 'early', urgent: false });
    expect(model.events.at(-1)?.data).toMatchObject({ worker: null, text: 'early' });
    const attempt = only(model);
    model.submit('task.note', { task, text: 'now', urgent: true });
    expect(model.events.at(-1)).toMatchObject({
      attemptId: attempt.id,
      data: { worker, author: 'ada', text: 'now', urgent: true },
    });
    model.submit('attempt.note', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, text: 'from inside' },
    });
    expect(model.world.list('notesOfTask', task)).toHaveLength(3);
  });

  test('progress by a person', () => {
    const model = new Model();
    const run = model.graph({ a: {} });
    const task = model.byKey(run, 'a').id;
    model.submit('task.progress', { task, percent: 50, text: 'half' });
    expect(model.byKey(run, 'a').progress).toMatchObject({ percent: 50, text: 'half' });
    model.submit('task.cancel', { task, reason: null });
    expect(model.refusal('task.progress', { task, percent: 60, text: 'x' }).code).toBe(
      'wrong_status',
    );
  });
});
