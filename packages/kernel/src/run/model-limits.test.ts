import { runReplan, taskCreate, type Actor, type RunPolicy } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { graphOf, Model, USER } from '../testing/model.ts';

const AGENT: Actor = { kind: 'agent', id: 'att_1', name: null };

function started(limits: NonNullable<RunPolicy['limits']>, size = 1) {
  const model = new Model();
  model.worker('w', { slots: 20 });
  const tasks = Object.fromEntries(Array.from({ length: size }, (_, at) => [`t${at}`, {}]));
  const run = model.graph(tasks, [], { policy: { limits } });
  const [attempt] = model.dispatch();
  if (attempt === undefined) throw new Error('nothing was handed out');
  model.start(attempt);
  return { model, run, attempt };
}

function handOn(model: Model, attempt: AttemptRow, more: object = {}) {
  const spawner = { attempt: attempt.id, worker: attempt.workerId, epoch: attempt.epoch };
  const spec = `part ${model.world.all('tasks').length}`;
  return model.submit('task.create', { spawner, body: taskCreate.parse({ spec, ...more }) });
}

function replan(tasks: number, edges: readonly string[] = [], version = 1) {
  const named = Object.fromEntries(Array.from({ length: tasks }, (_, at) => [`n${at}`, {}]));
  return runReplan.parse({ plan: graphOf(named, edges), plan_version: version, supersede: [] });
}

describe('what an agent hands on', () => {
  test('goes as deep as the policy of its run asks for', () => {
    const { model, attempt } = started({ depth: 1 });
    handOn(model, attempt);
    const [child] = model.dispatch();
    if (child === undefined) throw new Error('the child is not handed out');
    model.start(child);
    const { declined } = handOn(model, child);
    expect(declined).toMatchObject({
      code: 'limit_exceeded',
      detail: { limit: 'policy.limits.depth', max: 1 },
    });
    expect(declined?.message).toContain('at most 1 levels deep (policy.limits.depth)');
  });

  test.each([
    [{ children_per_plan: 2 }, 2, 'policy.limits.children_per_plan'],
    [{ children_per_plan: 12 }, 12, 'policy.limits.children_per_plan'],
    [{}, 8, 'openChildrenMax'],
  ])('is as wide at a time: %j', (limits, most, name) => {
    const { model, attempt } = started(limits);
    for (let count = 0; count < most; count++) {
      expect(handOn(model, attempt).declined).toBeUndefined();
    }
    expect(handOn(model, attempt).declined?.detail).toMatchObject({ limit: name, max: most });
  });

  test('waits for no more tasks than the policy says', () => {
    const { model, run, attempt } = started({ edges_per_plan: 2 }, 4);
    const others = ['t1', 't2', 't3'].map((key) => model.byKey(run, key).id);
    expect(handOn(model, attempt, { depends_on: others }).declined?.detail).toMatchObject({
      limit: 'edges_per_plan',
      max: 2,
    });
    expect(handOn(model, attempt, { depends_on: others.slice(1) }).declined).toBeUndefined();
  });
});

describe('a new plan', () => {
  test.each([
    [{}, replan(9), 'children_per_plan', 8],
    [{ edges_per_plan: 1 }, replan(3, ['n0 -> n1', 'n1 -> n2']), 'edges_per_plan', 1],
    [{ tasks_per_run: 2 }, replan(2), 'tasks_per_run', 2],
  ] as const)('of a model is refused beyond a limit: %j', (limits, body, name, max) => {
    const { model, run } = started(limits);
    const refusal = model.refusal('run.replan', { run, body }, AGENT);
    expect(refusal).toMatchObject({ code: 'limit_exceeded', detail: { limit: name, max } });
    expect(refusal.message).toContain(`policy.limits.${name}`);
    model.submit('run.replan', { run, body }, USER);
  });

  test('of a model is refused once there were as many as there may be', () => {
    const { model, run } = started({ replans: 1 });
    model.submit('run.replan', { run, body: replan(1) }, AGENT);
    const body = runReplan.parse({
      plan: graphOf({ other: {} }, []),
      plan_version: 2,
      supersede: [],
    });
    expect(model.refusal('run.replan', { run, body }, AGENT).detail).toMatchObject({
      limit: 'replans',
    });
  });

  test('a policy that is changed to ask for too much gets the most, and is told so', () => {
    const { model, run } = started({});
    const policy = { limits: { depth: 99, replans: 9 } };
    model.submit('run.update', { run, body: { policy } });
    expect(model.runRow(run).policy.limits).toEqual({ depth: 16, replans: 9 });
    expect(model.told().slice(-2)).toEqual(['run.updated', 'run.limits_clamped']);
  });
});
