import { FAILURE_CLASSES, type FailureClass, type TaskSpecInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

/**
 * What an attempt that fails with each class leads to, as the design says it: `counted` is tried again
 * up to `max_attempts`, `free` is offered again without counting, `never` fails the task.
 */
const TABLE: { readonly [C in FailureClass]: 'counted' | 'free' | 'never' } = {
  agent_error: 'counted',
  contract_violation: 'never',
  verification_rejected: 'never',
  timeout: 'counted',
  idle_timeout: 'counted',
  lost: 'free',
  rate_limited: 'free',
  auth: 'never',
  quota: 'never',
  workspace: 'free',
  environment: 'free',
  budget: 'never',
  cancelled: 'never',
  internal: 'counted',
};

function running(retry: TaskSpecInput['retry']) {
  const model = new Model();
  model.worker('w');
  const run = model.graph({ a: { retry: { backoff_seconds: 5, ...retry } } }, [], {
    deliver: 'none',
  });
  return { model, run };
}

/** Time passes until the task can be taken again, and somebody takes it. */
function next(model: Model): AttemptRow {
  for (let hour = 0; hour < 50; hour++) {
    const [attempt] = model.dispatch();
    if (attempt !== undefined) {
      model.start(attempt);
      return attempt;
    }
    model.advance(3_600);
    model.worker('w');
  }
  throw new Error('nobody can take it');
}

function taken(model: Model): number {
  return model.told().filter((it) => it === 'attempt.claimed a').length;
}

describe.each(FAILURE_CLASSES)('a failure of the class %s', (failureClass) => {
  const rule = TABLE[failureClass];

  test(`is ${rule}: with one attempt allowed`, () => {
    const { model, run } = running({ max_attempts: 1 });
    model.fail(next(model), failureClass);
    const task = model.byKey(run, 'a');
    if (rule === 'free') {
      expect(['ready', 'waiting']).toContain(task.status);
      expect(task.attemptCount).toBe(0);
      model.complete(next(model));
      expect(model.byKey(run, 'a')).toMatchObject({ status: 'completed', attemptCount: 1 });
    } else {
      expect(task).toMatchObject({ status: 'failed', failureClass, attemptCount: 1 });
    }
    expect(faultsOf(model.world)).toEqual([]);
  });

  test(`is ${rule}: with three attempts allowed`, () => {
    const { model, run } = running({ max_attempts: 3 });
    const timesMax = rule === 'free' ? 5 : rule === 'counted' ? 3 : 1;
    for (let time = 0; time < timesMax; time++) model.fail(next(model), failureClass);
    const task = model.byKey(run, 'a');
    expect([task.status, taken(model)]).toEqual(['failed', timesMax]);
    if (rule === 'free') {
      expect(task).toMatchObject({ failureClass: 'internal', reason: 'poison: it broke' });
    } else expect(task.failureClass).toBe(failureClass);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test(`${rule === 'counted' ? 'is tried again only if' : 'does not care whether'} the policy names it`, () => {
    const others = FAILURE_CLASSES.filter((it) => it !== failureClass);
    const { model, run } = running({ max_attempts: 3, on: [...others] });
    model.fail(next(model), failureClass);
    const { status } = model.byKey(run, 'a');
    expect(status === 'failed').toBe(rule !== 'free');
    const named = running({ max_attempts: 3, on: [failureClass] });
    named.model.fail(next(named.model), failureClass);
    expect(named.model.byKey(named.run, 'a').status === 'failed').toBe(rule === 'never');
  });
});

describe('what is offered again for free', () => {
  test('is poison only when nothing was got done in between', () => {
    const { model, run } = running({ max_attempts: 1 });
    for (let time = 0; time < 12; time++) {
      const attempt = next(model);
      if (time % 4 === 3) {
        model.submit('attempt.progress', {
          ...model.by(attempt),
          body: { epoch: attempt.epoch, progress: { text: `got to ${time}` } },
        });
      }
      model.fail(attempt, 'workspace');
    }
    expect(model.byKey(run, 'a').status).toBe('ready');
    for (let time = 0; time < 4; time++) model.fail(next(model), 'lost');
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'failed', failureClass: 'internal' });
  });

  test('a task that is handed back is free too, and says why when it is poison', () => {
    const { model, run } = running({ max_attempts: 1 });
    for (let time = 0; time < 5; time++) {
      const attempt = next(model);
      model.submit('attempt.release', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, reason: 'no room' },
      });
    }
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'failed', reason: 'poison: no room' });
  });

  test('what counts and what does not are kept apart', () => {
    const { model, run } = running({ max_attempts: 2 });
    model.fail(next(model), 'agent_error');
    model.fail(next(model), 'lost');
    model.fail(next(model), 'environment');
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'ready', attemptCount: 1 });
    model.fail(next(model), 'agent_error');
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'failed', attemptCount: 2 });
    const counted = model.events
      .filter((it) => it.type === 'task.retrying')
      .map((it) => it.data['counted']);
    expect(counted).toEqual([true, false, false]);
    expect(faultsOf(model.world)).toEqual([]);
  });
});
