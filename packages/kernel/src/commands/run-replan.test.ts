import { runReplan, type RunReplanInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { graphOf, Model } from '../testing/model.ts';

function failed(policy: 'replan' | 'continue' = 'replan') {
  const model = new Model();
  model.worker('w', { slots: 4 });
  const run = model.graph(
    {
      design: { outputs: [{ key: 'api', schema: { type: 'string' }, required: false }] },
      build: {},
      ship: {},
      docs: {},
    },
    ['design -> build', 'build -> ship', 'design -> docs'],
    { policy: { on_task_failure: policy }, deliver: 'none' },
  );
  finish(model, 'design');
  for (const attempt of model.dispatch()) {
    if (model.world.row('tasks', attempt.taskId)?.key === 'build') model.fail(attempt);
    else model.complete(attempt);
  }
  return { model, run };
}

function finish(model: Model, ...keys: string[]): void {
  for (const attempt of model.dispatch()) {
    const { key } = model.world.row('tasks', attempt.taskId) ?? {};
    if (key !== undefined && keys.includes(key)) model.complete(attempt);
  }
}

function body(more: Omit<RunReplanInput, 'plan_version'> & { plan_version?: number }) {
  return runReplan.parse({ plan_version: 1, ...more });
}

describe('a run that answers failures with a new plan', () => {
  test('waits for one, and nothing of it is skipped meanwhile', () => {
    const { model, run } = failed();
    expect(model.runRow(run)).toMatchObject({ status: 'waiting', reason: 'replan_needed:build' });
    expect(model.statuses(run)).toMatchObject({
      build: 'failed (it broke)',
      ship: 'blocked (dependency_failed:build)',
      docs: 'completed',
    });
    expect(model.told()).toContain('run.replan_needed build');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('goes on with the other branches until then', () => {
    const model = new Model();
    model.worker('w', { slots: 4 });
    const run = model.graph({ a: {}, b: {} }, [], { policy: { on_task_failure: 'replan' } });
    const [first] = model.dispatch();
    if (first !== undefined) model.fail(first);
    expect(model.runRow(run).status).toBe('running');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('takes up the new part, keeps what is finished, and ends well', () => {
    const { model, run } = failed();
    const since = model.events.length;
    model.submit('run.replan', {
      run,
      body: body({
        plan: graphOf({ build2: {}, ship2: {} }, ['design -input:api-> build2', 'build2 -> ship2']),
      }),
    });
    expect(model.runRow(run)).toMatchObject({ status: 'running', planVersion: 2, reason: null });
    expect(model.statuses(run)).toEqual({
      design: 'completed',
      build: 'superseded (replanned:2)',
      ship: 'superseded (replanned:2)',
      docs: 'completed',
      build2: 'ready',
      ship2: 'blocked',
    });
    expect(model.byKey(run, 'build2').planVersion).toBe(2);
    expect(model.events[since]).toMatchObject({
      type: 'run.replanned',
      data: { plan_version: 2, added: ['build2', 'ship2'], superseded: ['build', 'ship'] },
    });
    finish(model, 'build2');
    finish(model, 'ship2');
    expect(model.runRow(run).status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('is told apart by its version: the plan of an older planner is refused', () => {
    const { model, run } = failed();
    const plan = graphOf({ again: {} }, []);
    model.submit('run.replan', { run, body: body({ plan }) });
    const refusal = model.refusal('run.replan', {
      run,
      body: body({ plan: graphOf({ c: {} }, []) }),
    });
    expect(refusal).toMatchObject({ code: 'plan_conflict', detail: { plan_version: 2 } });
    expect(model.statuses(run)['c']).toBeUndefined();
  });

  test('goes on when its failed task is retried instead', () => {
    const { model, run } = failed();
    const task = model.byKey(run, 'build').id;
    model.submit('task.retry', { task, reason: null, downstream: 'keep' });
    expect(model.runRow(run)).toMatchObject({ status: 'running', reason: null });
    finish(model, 'build');
    finish(model, 'ship');
    expect(model.runRow(run).status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('can be cancelled while it waits', () => {
    const { model, run } = failed();
    model.submit('run.cancel', { run, reason: 'enough' });
    expect(model.runRow(run).status).toBe('cancelled');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('ends failed once it was replanned as often as it may be', () => {
    const model = new Model();
    model.worker('w', { slots: 4 });
    const run = model.graph({ a: {} }, [], {
      policy: { on_task_failure: 'replan', limits: { replans: 1 } },
    });
    const [first] = model.dispatch();
    if (first !== undefined) model.fail(first);
    model.submit('run.replan', { run, body: body({ plan: graphOf({ b: {} }, []) }) });
    const [second] = model.dispatch();
    if (second !== undefined) model.fail(second);
    expect(model.runRow(run)).toMatchObject({ status: 'failed', reason: 'replan_limit:b' });
  });
});

describe('run.replan', () => {
  test('reopens a run that has ended', () => {
    const { model, run } = failed('continue');
    expect(model.runRow(run).status).toBe('failed');
    model.submit('run.replan', { run, body: body({ plan: graphOf({ build2: {} }, []) }) });
    expect(model.statuses(run)).toMatchObject({
      build: 'superseded (replanned:2)',
      ship: 'superseded (replanned:2)',
      build2: 'ready',
    });
    finish(model, 'build2');
    expect(model.runRow(run).status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('supersedes what is named; a task that stays may be given something new to wait for', () => {
    const { model, run } = failed();
    model.submit('run.replan', {
      run,
      body: body({ plan: graphOf({ build2: {} }, ['build2 -> ship']), supersede: ['build'] }),
    });
    expect(model.statuses(run)).toMatchObject({ build2: 'ready', ship: 'blocked' });
    expect(model.byKey(run, 'ship')).toMatchObject({ pending: 1, outOfPlay: false });
    finish(model, 'build2');
    expect(model.byKey(run, 'ship').status).toBe('ready');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a task that waits in the queue is taken back and waits for what is new, under its version only', () => {
    const model = new Model();
    const run = model.graph({ a: {}, b: {}, held: { approval: { dispatch: true } } }, ['a -> b']);
    const edges = ['lint -> a', 'lint -> b', 'lint -> held', 'a -> b'];
    const said = body({ plan: graphOf({ lint: {} }, edges), supersede: [] });
    model.submit('run.replan', { run, body: said });
    expect(model.statuses(run)).toEqual({
      a: 'blocked',
      b: 'blocked',
      held: 'blocked',
      lint: 'ready',
    });
    expect(model.byKey(run, 'b').pending).toBe(2);
    expect(model.world.list('dependenciesOfRun', run)).toHaveLength(4);
    expect(model.runRow(run).needsHuman).toBe(0);
    const late = body({ plan: graphOf({ again: {} }, ['again -> a']), supersede: [] });
    expect(model.refusal('run.replan', { run, body: late }).code).toBe('plan_conflict');
    model.worker('w', { slots: 4 });
    finish(model, 'lint');
    expect(model.statuses(run)).toMatchObject({
      a: 'ready',
      b: 'blocked',
      held: 'awaiting_approval (dispatch_approval)',
    });
    finish(model, 'a');
    expect(model.statuses(run)).toMatchObject({ b: 'ready' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('an edge that is there already is no new one, also into what has started', () => {
    const { model, run } = failed();
    const before = model.world.list('dependenciesOfRun', run).length;
    const plan = graphOf({ build2: {} }, ['design -> docs', 'design -> build2', 'build2 -> ship']);
    model.submit('run.replan', { run, body: body({ plan, supersede: ['build'] }) });
    // build -> ship went with build.
    expect(model.world.list('dependenciesOfRun', run)).toHaveLength(before + 1);
    expect(model.statuses(run)).toMatchObject({ docs: 'completed', ship: 'blocked' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a question of what is superseded is taken back', () => {
    const model = new Model();
    const run = model.graph({ ask: { kind: 'human', spec: '?' }, b: {} }, ['ask -> b']);
    model.submit('run.replan', {
      run,
      body: body({ plan: graphOf({ c: {} }, []), supersede: ['ask', 'b'] }),
    });
    expect(model.statuses(run)).toMatchObject({ ask: 'superseded (replanned:2)', c: 'ready' });
    expect(model.runRow(run).needsHuman).toBe(0);
    expect(model.told()).toContain('checkpoint.superseded ask');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test.each<[string, Omit<RunReplanInput, 'plan_version'>, string, string]>([
    [
      'a boundary that nothing replaces',
      { plan: graphOf({ x: {} }, []), supersede: ['build'] },
      'wrong_status',
      'ship waits for build',
    ],
    [
      'finished work',
      { plan: graphOf({ x: {} }, []), supersede: ['design'] },
      'wrong_status',
      'finished work is kept',
    ],
    [
      'a task nobody knows',
      { plan: graphOf({ x: {} }, []), supersede: ['biuld'] },
      'unknown_task',
      'Did you mean build?',
    ],
    ['a key that is taken', { plan: graphOf({ docs: {} }, []) }, 'duplicate_key', 'docs'],
    [
      'an edge from what is superseded',
      {
        plan: { ...graphOf({ x: {} }, []), dependencies: [{ upstream: 'build', downstream: 'x' }] },
      },
      'unknown_task',
      'build',
    ],
    [
      'an edge into what has started',
      { plan: graphOf({ x: {} }, ['x -> docs']) },
      'wrong_status',
      'docs is completed',
    ],
    [
      'an output that is not declared',
      { plan: graphOf({ x: {} }, ['design -input:nope-> x']) },
      'unknown_contract',
      'it declares api',
    ],
    [
      'a cycle with what stays',
      { plan: graphOf({ x: {} }, ['ship -> x', 'x -> ship']), supersede: [] },
      'cycle',
      'x',
    ],
  ])('%s is refused, and nothing is changed', (_, said, code, words) => {
    const { model, run } = failed();
    const before = model.statuses(run);
    const refusal = model.refusal('run.replan', { run, body: body(said) });
    expect([refusal.code, refusal.message]).toEqual([code, expect.stringContaining(words)]);
    expect(model.statuses(run)).toEqual(before);
  });

  test('what an agent works on is not quiet, and cannot be replaced', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {} });
    model.dispatch();
    const refusal = model.refusal('run.replan', {
      run,
      body: body({ plan: graphOf({ b: {} }, []), supersede: ['a'] }),
    });
    expect(refusal.message).toContain('still works on it');
  });
});
