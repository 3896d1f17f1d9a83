import { describe, expect, test } from 'vitest';
import type { AttemptRow } from './rows.ts';
import { faultsOf } from './testing/check-state.ts';
import { Model } from './testing/model.ts';

/** Seven tasks on two workers: a schema feeds three slices, their ends free tests, deploy and desktop. */
function pipeline(model: Model): string {
  const repo = (name: string, ...languages: string[]) => ({ needs: { repo: name, languages } });
  return model.graph(
    {
      t1: {
        ...repo('core-service'),
        dispatch: 'manual',
        outputs: [{ key: 'api_schema', type: 'api_schema', schema: { type: 'object' } }],
      },
      t2: repo('api-gateway', 'rust'),
      t3: repo('search-engine', 'rust'),
      t4: repo('web-dashboard', 'ts'),
      t5: repo('api-gateway'),
      t6: repo('deploy-infra'),
      t7: repo('desktop-app'),
    },
    [
      't1 -input:api_schema-> t2',
      't1 -input:api_schema-> t3',
      't1 -input:api_schema-> t4',
      't2 -> t5',
      't2 -> t6',
      't3 -> t6',
      't4 -> t6',
      't2 -> t7',
    ],
    { goal: 'E-Commerce Platform Rebuild' },
  );
}

function fleet(model: Model): void {
  model.worker('dev-backend', {
    slots: 4,
    repos: [
      'api-gateway',
      'core-service',
      'web-dashboard',
      'search-engine',
      'payment-service',
      'deploy-infra',
      'marketing-site',
    ],
    languages: ['rust', 'ts'],
  });
  model.worker('dev-desktop', { slots: 1, repos: ['desktop-app'], languages: ['csharp'] });
}

/** Who took what, by the names of workers and tasks. */
function taken(model: Model, attempts: readonly AttemptRow[]): Record<string, string | undefined> {
  return Object.fromEntries(
    attempts.map((it) => [
      model.world.row('tasks', it.taskId)?.key,
      model.world.row('workers', it.workerId)?.name,
    ]),
  );
}

describe('the seven-task pipeline', () => {
  test('runs in five phases, each started by the one before', () => {
    const model = new Model();
    fleet(model);
    const run = pipeline(model);
    expect(model.dispatch()).toEqual([]);

    model.submit('task.assign', { task: model.byKey(run, 't1').id, worker: 'dev-backend' });
    const phase1 = model.dispatch();
    expect(taken(model, phase1)).toEqual({ t1: 'dev-backend' });

    for (const attempt of phase1) {
      model.start(attempt);
      model.submit('attempt.complete', {
        ...model.by(attempt),
        body: {
          epoch: attempt.epoch,
          result: { status: 'success', summary: 'v2.5', contracts: { api_schema: { v: 2 } } },
        },
      });
    }
    const phase2 = model.dispatch();
    expect(taken(model, phase2)).toEqual({
      t2: 'dev-backend',
      t3: 'dev-backend',
      t4: 'dev-backend',
    });
    expect(phase2.every((it) => 'api_schema' in (it.manifest['inputs'] as object))).toBe(true);

    const [t2, t3, t4] = phase2;
    if (t2 === undefined || t3 === undefined || t4 === undefined) throw new Error('three tasks');
    model.complete(t2);
    const phase3 = model.dispatch();
    expect(taken(model, phase3)).toEqual({ t5: 'dev-backend', t7: 'dev-desktop' });
    expect(model.statuses(run)['t6']).toBe('blocked');

    model.complete(t3);
    expect(model.byKey(run, 't6')).toMatchObject({ status: 'blocked', pending: 1 });
    model.complete(t4);
    const phase4 = model.dispatch();
    expect(taken(model, phase4)).toEqual({ t6: 'dev-backend' });

    for (const attempt of [...phase3, ...phase4]) model.complete(attempt);
    expect(model.runRow(run).status).toBe('completed');
    expect(model.told().at(-1)).toBe('run.completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('what a finish leads to is told in one order, down to the hand-off', () => {
    const model = new Model();
    fleet(model);
    const run = model.graph({ a: { outputs: [{ key: 'x' }] }, b: {}, c: {} }, [
      'a -input:x-> b',
      'a -> c',
    ]);
    const [first] = model.dispatch();
    if (first === undefined) throw new Error('nothing was handed out');
    model.start(first);
    const mark = model.events.length;
    model.submit('attempt.complete', {
      ...model.by(first),
      body: { epoch: first.epoch, result: { status: 'success', summary: '', contracts: { x: 1 } } },
    });
    model.dispatch();
    expect(model.told(mark)).toEqual([
      'attempt.succeeded a',
      'task.completed a',
      'contract.fulfilled a',
      'dependency.resolved b',
      'dependency.resolved c',
      'task.unblocked b',
      'task.unblocked c',
      'task.ready b',
      'task.ready c',
      'task.assigned b',
      'attempt.claimed b',
      'task.assigned c',
      'attempt.claimed c',
    ]);
    expect(model.runRow(run).seq).toBe(model.events.filter((it) => it.runId === run).length);
  });
});
