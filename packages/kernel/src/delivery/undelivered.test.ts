import type { TaskSpecInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

const repo: TaskSpecInput = { workspace: { repo: '/r', ref: 'main' } };

/** A run whose tasks are done by key, as real workers do: they say where the run starts, and what they commit. */
class Deliveries {
  readonly model = new Model();
  readonly run: string;

  constructor(
    tasks: Readonly<Record<string, TaskSpecInput>>,
    edges: readonly string[],
    deliver: 'branch' | 'merge' | 'none' = 'branch',
  ) {
    this.model.worker('w', { slots: 8 });
    this.run = this.model.graph(tasks, edges, { deliver });
  }

  /** Completes a task; with `commit` equal to `base` when it changed nothing, without them in no repository. */
  done(key: string, base?: string, commit = base): void {
    const { model } = this;
    model.dispatch();
    const attempt = model.attempt(model.byKey(this.run, key).attemptId ?? '');
    const bases = base === undefined ? {} : { bases: { '/r@main': 'start' } };
    model.submit('attempt.start', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, ...bases },
    });
    const made =
      base === undefined || commit === undefined
        ? {}
        : { commit: { repo: '/r', base, commit, branch: `baton/x/t/${key}/1` } };
    model.submit('attempt.complete', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result: { status: 'success', summary: '', ...made } },
    });
  }

  /** `<commit> <branch>` of the order that is out, without the run's id; undefined when none is. */
  ordered(): string | undefined {
    const order = this.model.runRow(this.run).deliveryOrder;
    if (order === null) return undefined;
    return `${order.commit.commit} ${order.branch.replace(this.run, 'RUN')}`;
  }

  delivered(state: 'delivered' | 'refused' = 'delivered'): void {
    const { deliveryWorkerId: worker } = this.model.runRow(this.run);
    this.model.submit('run.delivered', {
      worker: worker ?? '',
      run: this.run,
      delivery: { state },
    });
  }

  /** How the run stands, and what is wrong with the rows. */
  state(): readonly unknown[] {
    const { status, deliveryOrder } = this.model.runRow(this.run);
    return [status, deliveryOrder, faultsOf(this.model.world)];
  }
}

/** Ended, owing nothing. */
const completed = ['completed', null, []];

describe('what no delivered commit has', () => {
  test('is delivered as the last task left it, if that changed nothing itself', () => {
    const it = new Deliveries({ a: repo, check: repo }, ['a -> check'], 'merge');
    it.done('a', 'start', 'aaa');
    it.done('check', 'aaa');
    expect(it.ordered()).toBe('aaa baton/RUN/merged');
    expect(it.model.runRow(it.run)).toMatchObject({
      status: 'running',
      deliveryOrder: { mode: 'merge', task: it.model.byKey(it.run, 'check').id, ref: 'main' },
    });
    it.delivered();
    expect(it.state()).toEqual(completed);
    expect(it.model.told().slice(-2)).toEqual(['run.delivered check', 'run.completed']);
  });

  test('is delivered as one merge, where the last task stood on several', () => {
    const it = new Deliveries({ a: repo, b: repo, check: repo }, ['a -> check', 'b -> check']);
    it.done('a', 'start', 'aaa');
    it.done('b', 'start', 'bbb');
    it.done('check', 'merge of both');
    expect(it.ordered()).toBe('merge of both baton/RUN/merged');
    it.delivered();
    expect(it.state()).toEqual(completed);
  });

  test('is delivered where the last step works in no repository', () => {
    const it = new Deliveries({ a: repo, approve: { kind: 'human', spec: 'Fine?' } }, [
      'a -> approve',
    ]);
    it.done('a', 'start', 'aaa');
    expect(it.ordered()).toBeUndefined();
    const [question] = it.model.world.all('checkpoints');
    it.model.submit('checkpoint.resolve', {
      checkpoint: question?.id ?? '',
      body: { text: 'yes' },
      via: 'api',
    });
    expect(it.ordered()).toBe('aaa baton/RUN/merged');
    it.delivered();
    expect(it.state()).toEqual(completed);
  });

  test('is delivered one by one, each under the branch of its task, where nothing brings it together', () => {
    const it = new Deliveries({ a: repo, b: repo, all: { kind: 'join' } }, [
      'a -> all',
      'b -> all',
    ]);
    it.done('a', 'start', 'aaa');
    it.done('b', 'start', 'bbb');
    expect(it.ordered()).toBe('aaa baton/x/t/a/1');
    it.delivered('refused');
    expect(it.ordered()).toBe('bbb baton/x/t/b/1');
    it.delivered();
    expect(it.state()).toEqual(completed);
    expect(it.model.runRow(it.run).delivery.state).toBe('refused');
  });

  test('is found behind a task that starts from the reference, or came too late for what is delivered', () => {
    const clean: TaskSpecInput = { workspace: { repo: '/r', ref: 'main', base: 'ref' } };
    const it = new Deliveries({ a: repo, docs: clean }, ['a -> docs']);
    it.done('a', 'start', 'aaa');
    it.done('docs', 'start', 'ddd');
    expect(it.ordered()).toBe('ddd baton/RUN/merged');
    it.delivered();
    expect(it.ordered()).toBe('aaa baton/x/t/a/1');
    it.delivered();
    expect(it.state()).toEqual(completed);
    const task = it.model.byKey(it.run, 'a').id;
    it.model.submit('task.retry', { task, reason: null, downstream: 'keep' });
    it.done('a', 'start', 'aa2');
    expect(it.ordered()).toBe('aa2 baton/x/t/a/1');
    it.delivered();
    expect(it.state()).toEqual(completed);
  });
});

describe('nothing more is delivered', () => {
  test('of work that another end of the run already has', () => {
    const it = new Deliveries({ a: repo, fix: repo, check: repo }, ['a -> fix', 'a -> check']);
    it.done('a', 'start', 'aaa');
    it.done('fix', 'aaa', 'fff');
    expect(it.ordered()).toBe('fff baton/x/t/fix/1');
    it.delivered();
    it.done('check', 'aaa');
    expect(it.state()).toEqual(completed);
  });

  test('after an integration whose last check changes nothing', () => {
    const it = new Deliveries({ a: repo, merge: { ...repo, kind: 'integrate' }, check: repo }, [
      'a -> merge',
      'merge -> check',
    ]);
    it.done('a', 'start', 'aaa');
    it.done('merge', 'aaa');
    it.delivered();
    it.done('check', 'aaa');
    expect(it.state()).toEqual(completed);
    expect(it.model.told().filter((type) => type.startsWith('run.delivering'))).toHaveLength(1);
  });

  test('of work behind which something failed, was cancelled, or nothing was changed at all', () => {
    const failed = new Deliveries({ a: repo, j: { kind: 'join' }, check: repo }, [
      'a -> j',
      'j -> check',
    ]);
    failed.done('a', 'start', 'aaa');
    failed.model.dispatch();
    const { attemptId } = failed.model.byKey(failed.run, 'check');
    failed.model.fail(failed.model.attempt(attemptId ?? ''), 'auth');
    expect(failed.state()).toEqual(['failed', null, []]);
    expect(failed.model.runRow(failed.run).delivery.state).toBe('none');
    const unchanged = new Deliveries({ a: repo, b: repo }, ['a -> b']);
    unchanged.done('a', 'start');
    unchanged.done('b', 'start');
    expect(unchanged.state()).toEqual(completed);
    const none = new Deliveries({ a: repo, b: repo }, ['a -> b'], 'none');
    none.done('a', 'start', 'aaa');
    none.done('b', 'aaa');
    expect(none.state()).toEqual(completed);
  });

  test('by a task that an agent handed on: its commit is for its parent', () => {
    const it = new Deliveries({ a: repo, b: repo }, []);
    it.model.dispatch();
    const parent = it.model.attempt(it.model.byKey(it.run, 'a').attemptId ?? '');
    it.model.start(parent);
    const spawner = { attempt: parent.id, worker: parent.workerId, epoch: parent.epoch };
    it.model.submit('task.create', {
      spawner,
      body: {
        ...it.model.world.row('taskSpecs', parent.taskId)?.spec,
        key: 'part',
        depends_on: [],
      } as never,
    });
    it.done('part', 'start', 'ppp');
    it.done('b', 'start');
    it.done('a', 'start');
    expect(it.state()).toEqual(completed);
    expect(it.model.runRow(it.run).delivery.state).toBe('none');
  });
});
