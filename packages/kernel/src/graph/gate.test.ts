import type { TaskResult } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

function end(model: Model, status: TaskResult['status']): void {
  const [attempt] = model.dispatch();
  if (attempt === undefined) throw new Error('nothing to do');
  model.start(attempt);
  submit(model, attempt, status);
}

function submit(model: Model, attempt: AttemptRow, status: TaskResult['status']): void {
  model.submit('attempt.complete', {
    ...model.by(attempt),
    body: { epoch: attempt.epoch, result: { status, summary: 'said' } },
  });
}

function review(model: Model, run: string, action: 'approve' | 'reject' | 'reset'): void {
  model.submit('task.review', { task: model.byKey(run, 'a').id, action, note: null });
}

describe('a gate on a verifier', () => {
  function gated() {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: { role: 'verifier' }, b: {}, c: {} }, ['a -gate-> b', 'b -> c'], {
      deliver: 'none',
    });
    return { model, run };
  }

  test.each<[TaskResult['status'], string]>([
    ['success', 'ready'],
    ['partial', 'skipped (gate_failed:a)'],
    ['failed', 'skipped (gate_failed:a)'],
    ['blocked', 'skipped (gate_failed:a)'],
  ])('that ends with %s leaves its dependent %s', (status, expected) => {
    const { model, run } = gated();
    end(model, status);
    expect(model.statuses(run)['b']).toBe(expected);
    expect(model.told().includes('gate.failed b')).toBe(status !== 'success');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('that is retried is judged anew by its new result, and what had ended for it comes back', () => {
    const { model, run } = gated();
    end(model, 'partial');
    expect(model.runRow(run).status).toBe('completed');
    model.submit('task.retry', {
      task: model.byKey(run, 'a').id,
      reason: null,
      downstream: 'keep',
    });
    expect(model.statuses(run)).toEqual({ a: 'ready', b: 'blocked', c: 'blocked' });
    end(model, 'success');
    expect(model.statuses(run)['b']).toBe('ready');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('that is relaunched while its dependent has not started shuts again', () => {
    const { model, run } = gated();
    end(model, 'success');
    expect(model.statuses(run)['b']).toBe('ready');
    model.submit('task.relaunch', {
      task: model.byKey(run, 'a').id,
      reason: null,
      downstream: 'keep',
    });
    expect(model.statuses(run)['b']).toBe('blocked');
    end(model, 'failed');
    expect(model.statuses(run)['b']).toBe('skipped (gate_failed:a)');
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('a gate on other work', () => {
  function reviewed() {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {}, b: {} }, ['a -gate-> b'], { deliver: 'none' });
    end(model, 'success');
    return { model, run };
  }

  test('waits for a review', () => {
    const { model, run } = reviewed();
    expect(model.statuses(run)).toEqual({ a: 'completed', b: 'blocked' });
    expect(model.runRow(run).status).toBe('waiting');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('opens when it is approved, and shuts when that is taken back in time', () => {
    const { model, run } = reviewed();
    review(model, run, 'approve');
    expect(model.statuses(run)['b']).toBe('ready');
    review(model, run, 'reset');
    expect(model.statuses(run)['b']).toBe('blocked');
    review(model, run, 'approve');
    end(model, 'success');
    expect(model.runRow(run).status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('is held by a review that rejects', () => {
    const { model, run } = reviewed();
    review(model, run, 'reject');
    expect(model.statuses(run)['b']).toBe('skipped (gate_failed:a)');
    expect(model.told()).toContain('gate.failed b');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('an approval of an earlier life says nothing of this one', () => {
    const { model, run } = reviewed();
    review(model, run, 'approve');
    model.submit('task.retry', {
      task: model.byKey(run, 'a').id,
      reason: null,
      downstream: 'keep',
    });
    end(model, 'success');
    expect(model.statuses(run)).toEqual({ a: 'completed', b: 'blocked' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a review while the run is being cancelled brings nothing back', () => {
    const model = new Model();
    model.worker('w', { slots: 2 });
    const run = model.graph({ a: {}, build: {}, ship: {}, docs: {} }, [
      'a -> build',
      'build -> ship',
      'a -gate-> docs',
    ]);
    end(model, 'success');
    expect(model.dispatch()).toHaveLength(1);
    model.submit('task.cancel', { task: model.byKey(run, 'build').id, reason: null });
    model.submit('run.cancel', { run, reason: 'no new plan' });
    expect(model.runRow(run).status).toBe('cancelling');
    review(model, run, 'approve');
    expect(model.statuses(run)).toMatchObject({
      ship: 'cancelled (dependency_cancelled:build)',
      docs: 'cancelled (no new plan)',
    });
    expect(faultsOf(model.world)).toEqual([]);
    model.advance(70);
    expect(model.runRow(run)).toMatchObject({ status: 'cancelled', openTasks: 0 });
    expect(faultsOf(model.world)).toEqual([]);
  });
});
