import { runCreate } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

/** A chain that begins with tasks which depend on nothing; more than one batch writes. */
function large(size = 2_500, free = 3) {
  const tasks = Array.from({ length: size }, (_, at) => ({ key: `t${at}` }));
  const dependencies = Array.from({ length: size - free }, (_, at) => ({
    upstream: `t${at}`,
    downstream: `t${at + free}`,
  }));
  return { tasks, dependencies };
}

/** Fires the timer of the next step; answers whether there was one. */
function step(model: Model): boolean {
  const timer = model.world.all('timers').find((it) => it.kind === 'plan_step');
  if (timer === undefined) return false;
  model.submit('timer.fire', { timer: timer.id });
  return true;
}

describe('a submission too large for one batch', () => {
  test('is written in steps, and nothing of it can be claimed before the last', () => {
    const model = new Model();
    model.worker('w', { slots: 10 });
    const run = model.run({ plan: large(), deliver: 'none' });
    expect(model.runRow(run)).toMatchObject({
      status: 'planning',
      taskCount: 0,
      startedAtMs: null,
    });
    let steps = 0;
    let isPlanning = true;
    while (step(model)) {
      steps += 1;
      isPlanning = model.runRow(run).status === 'planning';
      expect(faultsOf(model.world)).toEqual([]);
      if (isPlanning) expect(model.dispatch()).toEqual([]);
    }
    // Three parts of tasks, two of edges, and the one that starts it.
    expect(steps).toBe(6);
    expect(model.runRow(run)).toMatchObject({
      status: 'running',
      taskCount: 2_500,
      openTasks: 2_500,
      activeTasks: 3,
    });
    expect(model.told().filter((it) => it === 'run.started')).toHaveLength(1);
    const told = model.told();
    expect(told.indexOf('run.started') - told.indexOf('run.created')).toBe(2_501);
    expect(model.dispatch()).toHaveLength(3);
  });

  test('changes no more rows in a step than a batch may', () => {
    const model = new Model();
    const changed: number[] = [];
    model.watch = (decision) => changed.push(decision.changes.length);
    model.run({ plan: large() });
    while (step(model)) {}
    // What all steps change beside their own rows: the run, the part, two timers.
    expect(Math.max(...changed)).toBeLessThanOrEqual(2_000 + 5);
  });

  test('a step that is done again after a crash finds its part gone and does nothing twice', () => {
    const model = new Model();
    const run = model.run({ plan: large() });
    const [first] = model.world.all('timers');
    step(model);
    if (first === undefined) throw new Error('no timer');
    expect(model.submit('timer.fire', { timer: first.id })).toEqual({ already: true });
    expect(model.runRow(run).taskCount).toBe(1_000);
  });

  test('is refused whole when it is wrong, and its ids are taken from the start', () => {
    const model = new Model();
    const plan = large();
    model.refusal('run.create', {
      body: runCreate.parse({
        plan: { ...plan, dependencies: [{ upstream: 't1', downstream: 't1' }] },
      }),
    });
    expect(model.world.all('planParts')).toEqual([]);
  });

  test('a run that is cancelled while it is written takes its parts with it', () => {
    const model = new Model();
    const run = model.run({ plan: large() });
    step(model);
    model.submit('run.cancel', { run, reason: 'no' });
    expect(model.runRow(run).status).toBe('cancelled');
    while (step(model)) {}
    expect(model.world.all('planParts')).toEqual([]);
    expect(model.runRow(run).taskCount).toBe(1_000);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('nothing can be added to a run that is still being written', () => {
    const model = new Model();
    const run = model.run({ plan: large() });
    expect(
      model.refusal('run.replan', {
        run,
        body: { plan: { tasks: [], dependencies: [] } as never, plan_version: 1 },
      }).code,
    ).toBe('wrong_status');
  });
});

describe('limits on what models make', () => {
  test('a number beyond its absolute is lowered to it, and told', () => {
    const model = new Model();
    const run = model.run({
      goal: 'x',
      policy: { limits: { replans: 500, depth: 6, tasks_per_run: 100 } },
    });
    expect(model.runRow(run).policy.limits).toEqual({ replans: 64, depth: 6, tasks_per_run: 100 });
    expect(model.events.find((it) => it.type === 'run.limits_clamped')?.data).toEqual({
      limits: { replans: { asked: 500, given: 64 } },
    });
  });

  test('a policy within them is taken as it is, silently', () => {
    const model = new Model();
    const run = model.run({ goal: 'x', policy: { limits: { replans: 64 } } });
    expect(model.runRow(run).policy.limits).toEqual({ replans: 64 });
    expect(model.told()).not.toContain('run.limits_clamped');
  });
});
