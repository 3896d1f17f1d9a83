import type { CommitRef, DeliveryState } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

function completeWith(model: Model, attempt: AttemptRow, commit: Partial<CommitRef> = {}): void {
  model.start(attempt);
  model.submit('attempt.complete', {
    ...model.by(attempt),
    body: {
      epoch: attempt.epoch,
      result: {
        status: 'success',
        summary: '',
        commit: { repo: '/r', base: 'aaa', commit: 'bbb', branch: 'baton/x/t/k/1', ...commit },
      },
    },
  });
}
function report(model: Model, run: string, delivery: DeliveryState = { state: 'delivered' }) {
  return model.submit('run.delivered', {
    worker: model.runRow(run).deliveryWorkerId ?? '',
    run,
    delivery,
  });
}
function started(
  tasks: Parameters<Model['graph']>[0],
  edges: readonly string[] = [],
  deliver: 'branch' | 'merge' | 'none' = 'branch',
): { model: Model; run: string; take: () => AttemptRow } {
  const model = new Model();
  model.worker('w', { slots: 4 });
  const run = model.graph(tasks, edges, { deliver });
  const queue: AttemptRow[] = [];
  const take = () => {
    queue.push(...model.dispatch());
    const attempt = queue.shift();
    if (attempt === undefined) throw new Error('nothing was handed out');
    return attempt;
  };
  return { model, run, take };
}
const repo = { workspace: { repo: '/r', ref: 'main' } };

describe('delivery', () => {
  test('the commit of a single task is delivered before its run ends', () => {
    const { model, run, take } = started({ a: repo }, [], 'merge');
    const attempt = take();
    completeWith(model, attempt);
    expect(model.runRow(run)).toMatchObject({
      status: 'running',
      delivery: { state: 'pending', commit: 'bbb', branch: `baton/${run}/merged` },
      deliveryOrder: { mode: 'merge', ref: 'main', branch: `baton/${run}/merged` },
      deliveryWorkerId: attempt.workerId,
    });
    expect(model.told().at(-1)).toBe('run.delivering a');
    report(model, run, { state: 'delivered', branch: 'main', commit: 'bbb' });
    expect(model.told().slice(-2)).toEqual(['run.delivered a', 'run.completed']);
    expect(model.attempt(attempt.id).result?.commit?.delivered).toBe('main');
    expect(model.world.all('timers')).toEqual([]);
    expect(report(model, run).already).toBe(true);
  });

  test.each([
    ['nothing changed', 'branch', { commit: 'aaa' }],
    ['the run delivers nothing', 'none', {}],
  ] as const)('there is none when %s', (_, deliver, commit) => {
    const { model, run, take } = started({ a: repo }, [], deliver);
    completeWith(model, take(), commit);
    expect(model.runRow(run)).toMatchObject({ status: 'completed', delivery: { state: 'none' } });
  });

  test('what another task builds on is not delivered; what integrates it is', () => {
    const { model, run, take } = started(
      { a: repo, b: repo, merge: { ...repo, kind: 'integrate' }, deploy: {} },
      ['a -> merge', 'b -> merge', 'merge -> deploy'],
    );
    completeWith(model, take());
    completeWith(model, take());
    expect(model.runRow(run).delivery.state).toBe('none');
    completeWith(model, take(), { commit: 'ccc' });
    expect(model.runRow(run).deliveryOrder).toMatchObject({ branch: `baton/${run}/merged` });
    model.complete(take());
    expect(model.runRow(run).status).toBe('running');
    report(model, run);
    expect(model.runRow(run).status).toBe('completed');
  });

  test('several ends are delivered one after the other, each under the branch of its task', () => {
    const { model, run, take } = started({ a: repo, b: repo });
    completeWith(model, take(), { branch: 'baton/x/t/a/1' });
    completeWith(model, take(), { branch: 'baton/x/t/b/1', commit: 'ccc' });
    expect(model.runRow(run).deliveryOrder?.branch).toBe('baton/x/t/a/1');
    report(model, run, { state: 'refused', detail: 'has changes' });
    expect(model.runRow(run)).toMatchObject({
      status: 'running',
      deliveryOrder: { branch: 'baton/x/t/b/1' },
    });
    report(model, run, { state: 'delivered', branch: 'baton/x/t/b/1' });
    expect(model.runRow(run)).toMatchObject({
      status: 'completed',
      delivery: { state: 'refused', detail: 'has changes' },
    });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('what was deleted while it waited for its turn is not delivered', () => {
    const { model, run, take } = started({ a: repo, b: repo });
    completeWith(model, take(), { branch: 'baton/x/t/a/1' });
    const second = take();
    completeWith(model, second, { branch: 'baton/x/t/b/1', commit: 'ccc' });
    model.submit('task.purge', { task: second.taskId });
    report(model, run, { state: 'delivered', branch: 'baton/x/t/a/1' });
    expect(model.runRow(run)).toMatchObject({ status: 'completed', deliveryOrder: null });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test("an end that works in no repository does not make the branch a task's", () => {
    const { model, run, take } = started({ a: repo, check: { kind: 'command', spec: 'true' } });
    completeWith(model, take());
    expect(model.runRow(run).deliveryOrder?.branch).toBe(`baton/${run}/merged`);
  });

  test('a worker that does not report in ten minutes has not delivered', () => {
    const { model, run, take } = started({ a: repo });
    completeWith(model, take());
    model.advance(601);
    expect(model.runRow(run)).toMatchObject({
      status: 'completed',
      delivery: { state: 'refused', commit: 'bbb' },
      deliveryOrder: null,
    });
    expect(model.told()).toContain('run.delivery_refused a');
  });

  test('an order whose task was opened anew meanwhile still ends by its deadline', () => {
    const { model, run, take } = started({ a: repo });
    completeWith(model, take());
    model.submit('task.retry', {
      task: model.byKey(run, 'a').id,
      reason: null,
      downstream: 'keep',
    });
    completeWith(model, take(), { commit: 'ccc' });
    model.advance(10 * 60);
    expect(model.runRow(run).deliveryOrder).toMatchObject({ commit: { commit: 'ccc' } });
    model.advance(10 * 60);
    expect(model.runRow(run)).toMatchObject({
      status: 'completed',
      delivery: { state: 'refused' },
    });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('the report on an older result does not pass for the delivery of the newer one', () => {
    const { model, run, take } = started({ a: repo });
    completeWith(model, take());
    model.submit('task.retry', {
      task: model.byKey(run, 'a').id,
      reason: null,
      downstream: 'keep',
    });
    completeWith(model, take(), { commit: 'ccc' });
    report(model, run, { state: 'delivered', commit: 'bbb' });
    expect(model.runRow(run).deliveryOrder).toMatchObject({ commit: { commit: 'ccc' } });
    report(model, run, { state: 'delivered', commit: 'ccc' });
    expect(model.runRow(run)).toMatchObject({ status: 'completed', delivery: { commit: 'ccc' } });
  });

  test('only the worker that has the order may report on it', () => {
    const { model, run, take } = started({ a: repo });
    completeWith(model, take());
    const other = model.worker('other');
    const reply = model.submit('run.delivered', {
      worker: other,
      run,
      delivery: { state: 'delivered' },
    });
    expect(reply.already).toBe(true);
    expect(model.runRow(run).status).toBe('running');
  });

  test('a run that is cancelled delivers nothing of what still waited', () => {
    const { model, run, take } = started({ a: repo, b: repo, c: repo });
    completeWith(model, take(), { commit: 'of a' });
    completeWith(model, take(), { commit: 'of b' });
    take();
    model.submit('run.cancel', { run, reason: 'enough' });
    expect(model.runRow(run)).toMatchObject({ status: 'cancelling', deliveryOrder: null });
    expect(model.told().filter((it) => it.startsWith('run.delivering'))).toHaveLength(1);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('cancelling the run ends its delivery', () => {
    const { model, run, take } = started({ a: repo, b: { dispatch: 'manual' } });
    completeWith(model, take());
    model.submit('run.cancel', { run, reason: null });
    expect(model.runRow(run)).toMatchObject({ status: 'cancelled', deliveryOrder: null });
    expect(faultsOf(model.world)).toEqual([]);
  });
});
