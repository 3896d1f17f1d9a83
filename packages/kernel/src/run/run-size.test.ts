import { LIMITS, runReplan } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { graphOf, Model } from '../testing/model.ts';
import { sizeFault } from './run-size.ts';

describe('how large a run may be', () => {
  test('is what the operator says, and the refusal names the setting', () => {
    expect(sizeFault({}, { tasks: LIMITS.tasksPerRunMax })).toBeNull();
    const more = sizeFault({}, { tasks: LIMITS.tasksPerRunMax + 1 });
    expect(more?.refused).toMatchObject({
      code: 'limit_exceeded',
      detail: { limit: 'BATON_TASKS_PER_RUN_MAX', max: 10_000, asked: 10_001 },
    });
    expect(more?.refused.message).toContain('BATON_TASKS_PER_RUN_MAX');
  });

  test('holds for whatever adds to it', () => {
    const model = new Model();
    model.runSize = { tasksMax: 3, dependenciesMax: 2 };
    const refused = (plan: ReturnType<typeof graphOf>) =>
      model.refusal('run.create', { body: { ...body, plan } as never });
    const body = { goal: '', deliver: 'none', policy: {}, labels: {}, input: {}, source: 'api' };
    const four = graphOf({ a: {}, b: {}, c: {}, d: {} }, []);
    expect(refused(four).detail).toMatchObject({ limit: 'BATON_TASKS_PER_RUN_MAX', max: 3 });
    const edges = ['a -> b', 'a -> c', 'b -> c'];
    expect(refused(graphOf({ a: {}, b: {}, c: {} }, edges)).detail).toMatchObject({
      limit: 'BATON_DEPENDENCIES_PER_RUN_MAX',
      max: 2,
    });
    const run = model.graph({ a: {}, b: {}, c: {} }, ['a -> b', 'a -> c']);
    const id = (key: string): string => model.byKey(run, key).id;
    const said = runReplan.parse({ plan: graphOf({ d: {} }, []), plan_version: 1, supersede: [] });
    expect(model.refusal('run.replan', { run, body: said }).code).toBe('limit_exceeded');
    const edge = { upstream: id('b'), type: 'blocks', on: 'success' } as const;
    expect(model.refusal('dependency.add', { task: id('c'), body: edge }).detail).toMatchObject({
      limit: 'BATON_DEPENDENCIES_PER_RUN_MAX',
    });
    const task = { run, key: 'd', spec: '' };
    expect(() => model.task(task)).toThrow('BATON_TASKS_PER_RUN_MAX');
    expect(model.refusal('task.rerun', { task: id('a'), reason: null }).code).toBe(
      'limit_exceeded',
    );
  });
});
