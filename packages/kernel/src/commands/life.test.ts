import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

function modelOf(
  tasks: Parameters<Model['graph']>[0],
  edges: readonly string[] = [],
  more: Parameters<Model['graph']>[2] = { deliver: 'none' },
) {
  const model = new Model();
  model.worker('w', { slots: 8 });
  const run = model.graph(tasks, edges, more);
  const id = (key: string): string => model.byKey(run, key).id;
  return { model, run, id };
}

function only(model: Model): AttemptRow {
  const attempts = model.dispatch();
  const [attempt] = attempts;
  if (attempt === undefined || attempts.length > 1) throw new Error(`${attempts.length} attempts`);
  return attempt;
}

function endOf(model: Model, attempt: AttemptRow): void {
  model.submit('attempt.release', { ...model.by(attempt), body: { epoch: attempt.epoch } });
}

const says = (attempt: AttemptRow, contracts: Record<string, string> = {}) => ({
  epoch: attempt.epoch,
  result: { status: 'success' as const, summary: 'late', contracts },
});

describe('pausing a task', () => {
  test('that is ready takes it out of the queue until it is resumed', () => {
    const { model, run, id } = modelOf({ a: {} });
    model.submit('task.pause', { task: id('a'), reason: null });
    expect(model.statuses(run)).toEqual({ a: 'paused (paused)' });
    expect(model.runRow(run).status).toBe('waiting');
    expect(model.dispatch()).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);
    expect(model.submit('task.pause', { task: id('a'), reason: null })).toMatchObject({
      already: true,
    });
    model.submit('task.resume', { task: id('a') });
    expect(model.runRow(run).status).toBe('running');
    expect(only(model).taskId).toBe(id('a'));
  });

  test('that runs stops its agent, does not count the attempt, and goes on where it was', () => {
    const { model, run, id } = modelOf({ a: {} });
    const first = only(model);
    model.start(first);
    const mark = model.events.length;
    model.submit('task.pause', { task: id('a'), reason: 'lunch' });
    expect(model.told(mark)).toEqual(['attempt.stopping a', 'task.paused a', 'run.waiting']);
    expect(model.byKey(run, 'a')).toMatchObject({
      status: 'paused',
      pausedFrom: 'running',
      reason: 'lunch',
      attemptCount: 0,
    });
    endOf(model, first);
    expect(model.attempt(first.id).status).toBe('released');
    model.submit('task.resume', { task: id('a') });
    const second = only(model);
    expect(second.manifest['continue']).toMatchObject({
      attempt: first.id,
      wake: { kind: 'resume' },
    });
    model.complete(second);
    expect(model.runRow(run).status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('resumed before its process has ended waits for that', () => {
    const { model, run, id } = modelOf({ a: {} });
    const first = only(model);
    model.start(first);
    model.submit('task.pause', { task: id('a'), reason: null });
    model.submit('task.resume', { task: id('a') });
    expect(model.statuses(run)).toEqual({ a: 'ready (stopping)' });
    expect(model.dispatch()).toEqual([]);
    endOf(model, first);
    expect(only(model).taskId).toBe(id('a'));
  });

  test('keeps its question open; the answer counts when it goes on', () => {
    const { model, run, id } = modelOf({ a: {} });
    const first = only(model);
    model.start(first);
    const { checkpoint = '' } = model.submit('attempt.checkpoint', {
      ...model.by(first),
      body: {
        epoch: first.epoch,
        kind: 'question',
        question: 'Which?',
        context: null,
        options: ['left', 'right'],
        answer_by: 'human',
        resume: 'live',
      },
    });
    model.submit('task.pause', { task: id('a'), reason: null });
    endOf(model, first);
    model.submit('checkpoint.resolve', { checkpoint, body: { option: 'left' }, via: 'api' });
    expect(model.statuses(run)).toEqual({ a: 'paused (paused)' });
    model.submit('task.resume', { task: id('a') });
    expect(only(model).manifest['continue']).toMatchObject({
      attempt: first.id,
      wake: { kind: 'answer' },
    });
  });

  test('that waits for approval stays approved, and a rejection while it is paused cancels it', () => {
    const { model, run, id } = modelOf({
      a: { approval: { dispatch: true } },
      b: { approval: { dispatch: true } },
    });
    for (const key of ['a', 'b']) model.submit('task.pause', { task: id(key), reason: null });
    const decide = (key: string, verb: 'approve' | 'reject') =>
      model.submit('task.decide', { task: id(key), verb, body: {}, via: 'cli' });
    decide('a', 'approve');
    decide('b', 'reject');
    expect(model.statuses(run)).toEqual({ a: 'paused (paused)', b: 'cancelled (rejected)' });
    expect(model.dispatch()).toEqual([]);
    model.submit('task.resume', { task: id('a') });
    expect(only(model).taskId).toBe(id('a'));
  });

  test('of a person: the answer given meanwhile completes it when it goes on', () => {
    const { model, run, id } = modelOf({ ask: { kind: 'human', spec: 'Which?' }, b: {} }, [
      'ask -> b',
    ]);
    model.submit('task.pause', { task: id('ask'), reason: null });
    model.submit('task.decide', {
      task: id('ask'),
      verb: 'answer',
      body: { text: 'red' },
      via: 'x',
    });
    expect(model.statuses(run)).toEqual({ ask: 'paused (paused)', b: 'blocked' });
    model.submit('task.resume', { task: id('ask') });
    expect(model.statuses(run)).toEqual({ ask: 'completed (red)', b: 'ready' });
  });

  test('resumed after its upstream failed finds itself out of play', () => {
    const { model, run, id } = modelOf({ a: {}, b: {}, c: {} }, ['a -> b']);
    model.submit('task.pause', { task: id('b'), reason: null });
    for (const attempt of model.dispatch()) {
      if (attempt.taskId === id('a')) model.fail(attempt);
      else model.complete(attempt);
    }
    expect(model.statuses(run)).toMatchObject({ b: 'paused (paused)' });
    model.submit('task.resume', { task: id('b') });
    expect(model.statuses(run)).toMatchObject({ b: 'skipped (dependency_failed:a)' });
    expect(model.runRow(run).status).toBe('failed');
  });

  test('that has ended, or cannot start as things are, is refused', () => {
    const { model, id } = modelOf({ a: {}, b: {}, c: {} }, ['a -> b']);
    const attempts = model.dispatch();
    const first = attempts.find((it) => it.taskId === id('a'));
    if (first !== undefined) model.fail(first);
    for (const key of ['a', 'b']) {
      expect(model.refusal('task.pause', { task: id(key), reason: null }).code).toBe(
        'wrong_status',
      );
    }
    expect(model.refusal('task.resume', { task: id('c') }).code).toBe('wrong_status');
  });
});

describe('pausing a run', () => {
  test('stops its agents and starts nothing until it is resumed', () => {
    const { model, run, id } = modelOf({ a: {}, b: {}, c: {} }, ['a -> c']);
    const [first, second] = model.dispatch();
    if (first === undefined || second === undefined) throw new Error('two attempts');
    model.start(first);
    model.start(second);
    model.submit('run.pause', { run, reason: 'night' });
    expect(model.runRow(run).status).toBe('paused');
    expect(model.statuses(run)).toEqual({
      a: 'paused (run_paused)',
      b: 'paused (run_paused)',
      c: 'blocked',
    });
    for (const attempt of [first, second]) endOf(model, attempt);
    expect(model.dispatch()).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);
    expect(model.refusal('task.resume', { task: id('a') }).message).toContain('resume the run');
    model.submit('run.resume', { run });
    expect(model.runRow(run).status).toBe('running');
    for (const attempt of model.dispatch()) model.complete(attempt);
    model.complete(only(model));
    expect(model.runRow(run).status).toBe('completed');
  });

  test('holds what is retried or added in it, and leaves what was paused for itself paused', () => {
    const { model, run, id } = modelOf({ a: {}, b: {}, c: {} });
    const [first] = model.dispatch();
    if (first === undefined) throw new Error('an attempt');
    model.fail(first);
    model.submit('task.pause', { task: id('c'), reason: 'mine' });
    model.submit('run.pause', { run, reason: null });
    model.submit('task.retry', { task: id('a'), reason: null, downstream: 'keep' });
    expect(model.statuses(run)).toMatchObject({
      a: 'paused (run_paused)',
      c: 'paused (mine)',
    });
    model.submit('run.resume', { run });
    expect(model.statuses(run)).toMatchObject({ a: 'ready', c: 'paused (mine)' });
  });

  test('whose last task is cancelled ends; an ended one is refused', () => {
    const { model, run, id } = modelOf({ a: {} });
    model.submit('run.pause', { run, reason: null });
    model.submit('task.cancel', { task: id('a'), reason: null });
    expect(model.runRow(run).status).toBe('cancelled');
    expect(model.refusal('run.pause', { run, reason: null }).code).toBe('run_ended');
    expect(model.refusal('run.resume', { run }).code).toBe('wrong_status');
  });
});

describe('relaunching a task', () => {
  test('that runs stops its agent and starts anew, told nothing of before', () => {
    const { model, run, id } = modelOf({ a: {}, b: {} }, ['a -> b']);
    const first = only(model);
    model.start(first);
    const mark = model.events.length;
    model.submit('task.relaunch', { task: id('a'), reason: 'wrong way', downstream: 'keep' });
    expect(model.told(mark)).toEqual([
      'attempt.stopping a',
      'task.relaunched a',
      'task.unblocked a',
      'task.ready a',
    ]);
    expect(model.byKey(run, 'a')).toMatchObject({
      generation: 2,
      freshGeneration: 2,
      feedback: null,
      continueAttemptId: null,
    });
    const second = only(model);
    expect(second.epoch).toBeGreaterThan(first.epoch);
    endOf(model, first);
    model.complete(second);
    model.complete(only(model));
    expect(model.runRow(run).status).toBe('completed');
  });

  test('that completed reopens the run; downstream keeps its result or is reset with it', () => {
    for (const downstream of ['keep', 'reset'] as const) {
      const { model, run, id } = modelOf({ a: {}, b: {} }, ['a -> b']);
      model.complete(only(model));
      model.complete(only(model));
      model.submit('task.relaunch', { task: id('a'), reason: null, downstream });
      expect(model.runRow(run).status).toBe('running');
      const b = model.byKey(run, 'b');
      expect([b.status, b.outdated]).toEqual(
        downstream === 'keep' ? ['completed', true] : ['blocked', false],
      );
    }
  });

  test.each(['paused', 'awaiting_approval', 'waiting', 'blocked'] as const)(
    'that is %s puts it back to its start',
    (status) => {
      const { model, run, id } = modelOf(
        {
          up: {},
          blocked: {},
          paused: {},
          awaiting_approval: { approval: { dispatch: true } },
          waiting: { kind: 'human', spec: 'Which?' },
        },
        ['up -> blocked'],
      );
      model.submit('task.pause', { task: id('paused'), reason: null });
      expect(model.byKey(run, status).status).toBe(status);
      model.submit('task.relaunch', { task: id(status), reason: null, downstream: 'keep' });
      expect(model.byKey(run, status)).toMatchObject({
        generation: 2,
        status: status === 'paused' ? 'ready' : status,
      });
      expect(faultsOf(model.world)).toEqual([]);
    },
  );
});

describe('rerun', () => {
  test('of a task is a new one beside it: same engine, worker and inputs, no earlier attempt', () => {
    const outputs = [{ key: 'x' }];
    const { model, run, id } = modelOf({ a: { outputs }, b: {}, c: {} }, [
      'a -input:x-> b',
      'b -> c',
    ]);
    model.complete(only(model), { x: 'data' });
    model.complete(only(model));
    const { task = '' } = model.submit('task.rerun', { task: id('b'), reason: null });
    expect(model.byKey(run, 'b-2')).toMatchObject({
      id: task,
      assignedWorker: 'w',
      attemptCount: 0,
      generation: 1,
    });
    const cold = model.world.row('taskSpecs', task);
    expect(cold).toMatchObject({ rerunOf: id('b'), spec: { needs: { engine: 'claude' } } });
    const attempts = model.dispatch();
    const again = attempts.find((it) => it.taskId === task);
    expect(again?.manifest['inputs']).toMatchObject({ x: { task: id('a') } });
    for (const attempt of attempts) model.complete(attempt);
    expect(model.runRow(run).status).toBe('completed');
  });

  test('of a run is a new run of the same plan in the same lineage', () => {
    const { model, run } = modelOf({ a: {}, b: {} }, ['a -done-> b']);
    model.fail(only(model));
    model.complete(only(model));
    const { run: again = '' } = model.submit('run.rerun', { run, reason: null });
    expect(model.runRow(again)).toMatchObject({
      source: 'rerun',
      rerunOf: run,
      lineageRoot: run,
      status: 'running',
    });
    const { run: third = '' } = model.submit('run.rerun', { run: again, reason: null });
    expect(model.runRow(third)).toMatchObject({ rerunOf: again, lineageRoot: run });
    expect(model.statuses(again)).toEqual({ a: 'ready', b: 'blocked' });
    expect(model.world.row('taskSpecs', model.byKey(again, 'a').id)?.rerunOf).toBe(
      model.byKey(run, 'a').id,
    );
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('review', () => {
  function reviewed(action: 'approve' | 'reject' | 'request_changes' | 'reset', note = 'why') {
    const made = modelOf({ check: { kind: 'verify' }, after: {}, other: {} }, [
      'check -gate-> after',
      'other -> after',
    ]);
    const { model, id } = made;
    const check = model.dispatch().find((it) => it.taskId === id('check'));
    if (check === undefined) throw new Error('the check runs');
    model.complete(check);
    const review = (what = action, said: string | null = note) =>
      model.submit('task.review', { task: id('check'), action: what, note: said });
    const mark = model.events.length;
    const reply = review();
    return { ...made, check, review, reply, told: () => model.told(mark) };
  }

  test('is a stamp: said twice, it counts once', () => {
    const { model, id, review, told } = reviewed('approve');
    expect(review()).toMatchObject({ already: true });
    expect(told()).toEqual(['task.reviewed check']);
    expect(model.world.row('taskSpecs', id('check'))?.review).toMatchObject({
      state: 'approved',
      by: 'ada',
      note: 'why',
    });
    review('reset', null);
    expect(model.world.row('taskSpecs', id('check'))?.review.state).toBe('none');
  });

  test('that rejects shuts the gates on it; taken back, it opens them again', () => {
    const { model, run, review } = reviewed('reject');
    expect(model.statuses(run)).toMatchObject({ after: 'blocked (gate_failed:check)' });
    const other = model.world.all('attempts').find((it) => it.status === 'claimed');
    if (other !== undefined) model.complete(other);
    expect(model.statuses(run)).toMatchObject({ after: 'skipped (gate_failed:check)' });
    review('approve', null);
    expect(model.statuses(run)).toMatchObject({ after: 'ready' });
    expect(model.runRow(run).status).toBe('running');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('that rejects holds what its gate has let through and nobody has taken', () => {
    const { model, run, id } = modelOf(
      { check: { kind: 'verify' }, after: { dispatch: 'manual' } },
      ['check -gate-> after'],
    );
    model.complete(only(model));
    expect(model.byKey(run, 'after').status).toBe('ready');
    model.submit('task.review', { task: id('check'), action: 'reject', note: null });
    expect(model.statuses(run)).toMatchObject({ after: 'skipped (gate_failed:check)' });
  });

  test('that asks for changes has the work done again by the same agent, with the note', () => {
    const { model, run, check, review } = reviewed('request_changes', 'add paging');
    expect(model.byKey(run, 'check')).toMatchObject({
      status: 'ready',
      generation: 2,
      feedback: 'add paging',
    });
    expect(review()).toMatchObject({ already: true });
    const again = only(model);
    expect(again.manifest['continue']).toMatchObject({
      attempt: check.id,
      wake: { kind: 'feedback', text: 'add paging' },
    });
    model.complete(again);
    expect(faultsOf(model.world)).toEqual([]);
  });

  describe.each(['request_changes', 'reset'] as const)('that says %s in an ended run', (action) => {
    /** The check lets nobody through; what else is behind it ended for reasons of its own. */
    function endedRun() {
      const made = modelOf(
        {
          check: { kind: 'verify' },
          other: { dispatch: 'manual' },
          only: {},
          both: {},
          behind: {},
          dropped: {},
          last: {},
        },
        [
          'check -gate-> only',
          'check -gate-> both',
          'other -> both',
          'both -> behind',
          'check -gate-> dropped',
          'dropped -> last',
        ],
      );
      const { model, run, id } = made;
      model.complete(only(model));
      for (const key of ['only', 'both', 'dropped']) {
        expect(model.byKey(run, key)).toMatchObject({
          status: key === 'both' ? 'blocked' : 'ready',
        });
      }
      model.submit('task.cancel', { task: id('dropped'), reason: 'nor this' });
      model.submit('task.cancel', { task: id('other'), reason: 'changed my mind' });
      model.submit('task.review', { task: id('check'), action: 'reject', note: 'not yet' });
      expect(model.statuses(run)).toEqual({
        check: 'completed',
        other: 'cancelled (changed my mind)',
        only: 'skipped (gate_failed:check)',
        both: 'cancelled (dependency_cancelled:other)',
        behind: 'cancelled (dependency_cancelled:other)',
        dropped: 'cancelled (nor this)',
        last: 'cancelled (dependency_cancelled:dropped)',
      });
      expect(model.runRow(run).status).toBe('cancelled');
      model.submit('task.review', { task: id('check'), action, note: 'with paging' });
      return made;
    }

    test('brings back what it makes void, and leaves what others ended', () => {
      const { model, run } = endedRun();
      expect(model.statuses(run)).toMatchObject({
        check: action === 'reset' ? 'completed' : 'ready',
        only: action === 'reset' ? 'ready' : 'blocked',
        other: 'cancelled (changed my mind)',
        both: 'cancelled (dependency_cancelled:other)',
        behind: 'cancelled (dependency_cancelled:other)',
        dropped: 'cancelled (nor this)',
        last: 'cancelled (dependency_cancelled:dropped)',
      });
      for (const key of ['both', 'behind', 'dropped', 'last']) {
        expect(model.byKey(run, key).generation).toBe(1);
      }
      expect(faultsOf(model.world)).toEqual([]);
    });

    test('leaves those to the retry of what did end them', () => {
      const { model, run, id } = endedRun();
      model.submit('task.retry', { task: id('other'), reason: null, downstream: 'keep' });
      expect(model.statuses(run)).toMatchObject({ both: 'blocked', behind: 'blocked' });
      expect(model.statuses(run)).toMatchObject({
        last: 'cancelled (dependency_cancelled:dropped)',
      });
      expect(faultsOf(model.world)).toEqual([]);
    });
  });

  test('reopens nothing, and no run, when something else keeps it all ended', () => {
    const { model, run, id } = modelOf({ a: {}, b: { dispatch: 'manual' }, c: {} }, [
      'a -gate-> c',
      'b -> c',
    ]);
    model.complete(only(model));
    model.submit('task.cancel', { task: id('b'), reason: null });
    const mark = model.events.length;
    model.submit('task.review', { task: id('a'), action: 'approve', note: null });
    expect(model.told(mark)).toEqual(['task.reviewed a']);
    expect(model.runRow(run).status).toBe('cancelled');
  });

  test('that asks for changes says which', () => {
    const { model, id } = modelOf({ a: {} });
    model.complete(only(model));
    expect(
      model.refusal('task.review', { task: id('a'), action: 'request_changes', note: null }).code,
    ).toBe('bad_request');
  });

  test('is of finished work only', () => {
    const { model, id } = modelOf({ a: {} });
    expect(
      model.refusal('task.review', { task: id('a'), action: 'approve', note: null }).code,
    ).toBe('wrong_status');
  });
});

describe('deleting and purging', () => {
  test('a task cancels it with what needs it, and the run counts it no more', () => {
    const { model, run, id } = modelOf({ a: {}, b: {}, c: {} }, ['a -> b']);
    const a = id('a');
    model.submit('task.delete', { task: a, reason: null });
    expect(model.world.row('tasks', a)).toMatchObject({
      status: 'cancelled',
      deletedAtMs: model.nowMs,
    });
    expect(model.statuses(run)).toMatchObject({
      b: 'cancelled (dependency_cancelled:a)',
      c: 'ready',
    });
    expect(model.runRow(run).taskCount).toBe(2);
    expect(model.refusal('task.retry', { task: a, reason: null, downstream: 'keep' }).code).toBe(
      'not_found',
    );
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a finished task that others may still need is refused, by name', () => {
    const { model, id } = modelOf({ a: {}, b: {} }, ['a -> b']);
    model.complete(only(model));
    expect(model.refusal('task.delete', { task: id('a'), reason: null }).message).toContain('b');
  });

  test('a run stops its agents and is gone for everybody at once', () => {
    const { model, run } = modelOf({ a: {} });
    const attempt = only(model);
    model.start(attempt);
    model.submit('run.delete', { run, reason: null });
    expect(model.runRow(run)).toMatchObject({ status: 'cancelling', deletedAtMs: model.nowMs });
    expect(model.refusal('run.cancel', { run, reason: null }).code).toBe('not_found');
    endOf(model, attempt);
    expect(model.runRow(run).status).toBe('cancelled');
  });

  test('purging marks what is to go, also what was deleted before, and again is fine', () => {
    const { model, run } = modelOf({ a: {} });
    model.submit('run.delete', { run, reason: null });
    model.submit('run.purge', { run });
    expect(model.runRow(run).purgeAtMs).toBe(model.nowMs);
    expect(model.submit('run.purge', { run })).toMatchObject({ already: true });
    expect(model.submit('run.purge', { run: 'run_unknown' })).toEqual({ already: true });
    expect(model.told().filter((it) => it === 'run.purged')).toHaveLength(1);
  });
});

describe('a result that came when its attempt was given up', () => {
  function late(tasks: Parameters<Model['graph']>[0] = { a: {}, b: {} }) {
    const made = modelOf(tasks, ['a -> b']);
    const { model } = made;
    const attempt = only(model);
    model.start(attempt);
    model.nowMs = attempt.leaseUntilMs + 1;
    model.submit('lease.expire', { attempt: attempt.id, leaseUntilMs: attempt.leaseUntilMs });
    return { ...made, attempt };
  }

  test('is refused as stale and kept; adopted, the task completes and the next one starts', () => {
    const { model, run, attempt } = late();
    const reply = model.submit('attempt.complete', { ...model.by(attempt), body: says(attempt) });
    expect(reply.declined?.code).toBe('stale_epoch');
    expect(model.attempt(attempt.id)).toMatchObject({
      status: 'lost',
      result: null,
      orphanResult: { summary: 'late' },
    });
    expect(
      model.refusal('attempt.complete', { ...model.by(attempt), body: says(attempt) }).code,
    ).toBe('stale_epoch');
    const mark = model.events.length;
    model.submit('attempt.adopt', { attempt: attempt.id, reason: null });
    expect(model.told(mark)).toEqual([
      'attempt.adopted a',
      'task.completed a',
      'dependency.resolved b',
      'task.unblocked b',
      'task.ready b',
    ]);
    expect(model.statuses(run)).toEqual({ a: 'completed', b: 'ready' });
    expect(model.submit('attempt.adopt', { attempt: attempt.id, reason: null })).toMatchObject({
      already: true,
    });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('is not adopted once another attempt has started', () => {
    const { model, attempt } = late();
    model.submit('attempt.complete', { ...model.by(attempt), body: says(attempt) });
    const second = only(model);
    expect(model.decide('attempt.adopt', { attempt: attempt.id, reason: null }).kind).toBe(
      'accepted',
    );
    expect(model.attempt(second.id).status).toBe('stopping');
    const other = late();
    other.model.submit('attempt.complete', {
      ...other.model.by(other.attempt),
      body: says(other.attempt),
    });
    other.model.start(only(other.model));
    expect(
      other.model.refusal('attempt.adopt', { attempt: other.attempt.id, reason: null }).code,
    ).toBe('wrong_status');
  });

  test('revives a failed task and what was skipped because of it', () => {
    const { model, run, id } = modelOf({ a: { timeouts: { run: 10 } }, b: {} }, ['a -> b']);
    const attempt = only(model);
    model.start(attempt);
    model.advance(11);
    expect(model.statuses(run)).toMatchObject({ b: 'skipped (dependency_failed:a)' });
    model.submit('attempt.complete', { ...model.by(attempt), body: says(attempt) });
    expect(model.attempt(attempt.id).status).toBe('timed_out');
    model.submit('attempt.adopt', { attempt: attempt.id, reason: null });
    expect(model.statuses(run)).toEqual({ a: 'completed', b: 'ready' });
    expect(model.byKey(run, 'a').resultAttemptId).toBe(attempt.id);
    expect(id('a')).toBe(attempt.taskId);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('must keep its contracts', () => {
    const { model, attempt } = late({
      a: { outputs: [{ key: 'x', schema: { type: 'string' } }] },
      b: {},
    });
    model.submit('attempt.complete', { ...model.by(attempt), body: says(attempt) });
    expect(model.refusal('attempt.adopt', { attempt: attempt.id, reason: null }).code).toBe(
      'contract_violation',
    );
  });
});
