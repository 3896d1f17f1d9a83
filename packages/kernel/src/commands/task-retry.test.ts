import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

function finished(edges: readonly string[], failing: readonly string[] = []) {
  const model = new Model();
  model.worker('w', { slots: 8 });
  const outputs = [{ key: 'x', required: false }];
  const run = model.graph({ a: { outputs }, b: { outputs }, c: {}, d: {} }, edges);
  for (;;) {
    const attempts = model.dispatch();
    if (attempts.length === 0) break;
    for (const attempt of attempts) {
      const key = model.world.row('tasks', attempt.taskId)?.key ?? '';
      if (failing.includes(key)) model.fail(attempt);
      else model.complete(attempt, key === 'a' ? { x: `${key}${attempt.generation}` } : {});
    }
  }
  const retry = (key: string, downstream: 'keep' | 'reset' = 'keep') =>
    model.submit('task.retry', { task: model.byKey(run, key).id, reason: 'try again', downstream });
  return { model, run, retry };
}
function only(model: Model): AttemptRow {
  const attempts = model.dispatch();
  const [attempt] = attempts;
  if (attempt === undefined || attempts.length > 1) throw new Error(`${attempts.length} attempts`);
  return attempt;
}

describe('task.retry', () => {
  test('opens a new generation, reopens the run and brings back what never started', () => {
    const { model, run, retry } = finished(['a -> b', 'b -> c'], ['a']);
    expect(model.statuses(run)).toMatchObject({
      b: 'skipped (dependency_failed:a)',
      d: 'completed',
    });
    const mark = model.events.length;
    retry('a');
    expect(model.told(mark)).toEqual([
      'run.reopened',
      'task.relaunched a',
      'task.relaunched b',
      'task.relaunched c',
      'task.unblocked a',
      'task.ready a',
    ]);
    expect(model.byKey(run, 'a')).toMatchObject({
      status: 'ready',
      generation: 2,
      attemptCount: 0,
      failureClass: null,
      feedback: 'try again',
    });
    expect(model.statuses(run)).toMatchObject({ b: 'blocked', c: 'blocked', d: 'completed' });
    expect(model.runRow(run)).toMatchObject({ status: 'running', reason: null, endedAtMs: null });
    expect(faultsOf(model.world)).toEqual([]);
    for (const key of ['a', 'b', 'c']) {
      const attempt = only(model);
      expect(model.world.row('tasks', attempt.taskId)?.key).toBe(key);
      model.complete(attempt);
    }
    expect(model.runRow(run).status).toBe('completed');
  });

  test('puts dependents that wait out of play back into it, while the run goes on', () => {
    const model = new Model();
    model.worker('w', { slots: 2 });
    const run = model.graph({ a: {}, b: {}, long: {} }, ['a -> b']);
    const [first] = model.dispatch();
    if (first === undefined) throw new Error('nothing');
    model.fail(first);
    expect(model.byKey(run, 'b').outOfPlay).toBe(true);
    model.submit('task.retry', { task: first.taskId, reason: null, downstream: 'keep' });
    expect(model.byKey(run, 'b')).toMatchObject({ outOfPlay: false, generation: 1, reason: null });
    expect(model.told()).not.toContain('run.reopened');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('finished dependents keep their result and are outdated', () => {
    const { model, run, retry } = finished(['a -> b', 'b -> c']);
    retry('a');
    expect(model.byKey(run, 'b')).toMatchObject({
      status: 'completed',
      outdated: true,
      generation: 1,
    });
    expect(model.byKey(run, 'd').outdated).toBe(false);
    model.complete(only(model));
    expect(model.runRow(run).status).toBe('completed');
    expect(model.dispatch()).toEqual([]);
  });

  test('reset opens them anew too, and they take the new outputs', () => {
    const { model, run, retry } = finished(['a -input:x-> b', 'b -> c']);
    retry('a', 'reset');
    expect(model.statuses(run)).toMatchObject({ a: 'ready', b: 'blocked', c: 'blocked' });
    model.complete(only(model), { x: 'a2' });
    const b = only(model);
    expect(b).toMatchObject({ generation: 2, number: 1 });
    const output = model.world.all('outputs').find((it) => it.data === 'a2');
    expect(b.manifest).toMatchObject({ inputs: { x: { sha256: output?.sha256 } } });
  });

  test('outputs of an older generation satisfy nothing of the newer one', () => {
    const { model, retry } = finished(['a -input:x-> b']);
    retry('a', 'reset');
    const a = only(model);
    model.complete(a);
    expect(only(model).manifest).toMatchObject({ inputs: {} });
  });

  test('a dependent that runs goes on; lost, it waits for the new result', () => {
    const model = new Model();
    model.worker('w', { slots: 4 });
    const run = model.graph({ a: {}, b: {} }, ['a -> b']);
    model.complete(only(model));
    const b = only(model);
    model.start(b);
    model.submit('task.retry', {
      task: model.byKey(run, 'a').id,
      reason: null,
      downstream: 'keep',
    });
    expect(model.statuses(run)).toEqual({ a: 'ready', b: 'running' });
    model.fail(b, 'lost');
    expect(model.statuses(run)).toEqual({ a: 'ready', b: 'blocked' });
    model.complete(only(model));
    expect(model.statuses(run)).toEqual({ a: 'completed', b: 'ready' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a handler whose condition changes is weighed anew', () => {
    const { model, run, retry } = finished(['a -failure-> b'], []);
    expect(model.statuses(run)['b']).toBe('skipped (condition_not_met:a)');
    retry('a');
    expect(model.statuses(run)['b']).toBe('blocked');
    model.fail(only(model));
    expect(model.statuses(run)).toMatchObject({ a: 'failed (it broke)', b: 'ready' });
  });

  test('names the upstream that must be retried first', () => {
    const { model, run } = finished(['a -> b'], ['a']);
    expect(
      model.refusal('task.retry', {
        task: model.byKey(run, 'b').id,
        reason: null,
        downstream: 'keep',
      }),
    ).toMatchObject({ code: 'wrong_status', detail: { upstream: 'a', status: 'failed' } });
  });

  test('is for ended tasks', () => {
    const model = new Model();
    const run = model.graph({ a: {} });
    expect(
      model.refusal('task.retry', {
        task: model.byKey(run, 'a').id,
        reason: null,
        downstream: 'keep',
      }).code,
    ).toBe('wrong_status');
  });

  test('a task of a cancelled run runs again, the others stay cancelled', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {}, b: {} });
    model.submit('run.cancel', { run, reason: null });
    model.submit('task.retry', {
      task: model.byKey(run, 'a').id,
      reason: null,
      downstream: 'keep',
    });
    expect(model.runRow(run).status).toBe('running');
    model.complete(only(model));
    expect(model.statuses(run)).toEqual({ a: 'completed', b: 'cancelled (cancelled)' });
    expect(model.runRow(run).status).toBe('cancelled');
  });
});
