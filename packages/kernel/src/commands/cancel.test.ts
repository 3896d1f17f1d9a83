import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

describe('run.cancel', () => {
  test('ends everything at once, and the run when no process is left', () => {
    const model = new Model();
    model.worker('w', { slots: 2 });
    const run = model.graph({ a: {}, b: { approval: { dispatch: true } }, c: {}, d: {} }, [
      'a -> d',
    ]);
    const [attempt] = model.dispatch();
    if (attempt === undefined) throw new Error('nothing');
    model.start(attempt);
    const mark = model.events.length;
    model.submit('run.cancel', { run, reason: 'no longer needed' });
    expect(Object.values(model.statuses(run))).toEqual(
      Array(4).fill('cancelled (no longer needed)'),
    );
    expect(model.runRow(run)).toMatchObject({ status: 'cancelling', openTasks: 0, needsHuman: 0 });
    const stopping = model.events.slice(mark).find((it) => it.type === 'attempt.stopping');
    expect(stopping?.data).toMatchObject({ worker: attempt.workerId, grace_seconds: 5 });
    expect(model.dispatch()).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);

    model.fail(attempt, 'cancelled');
    expect(model.attempt(attempt.id)).toMatchObject({ status: 'cancelled' });
    for (const other of model.world.list('openAttemptsOfRun', run)) model.fail(other, 'cancelled');
    expect(model.runRow(run)).toMatchObject({ status: 'cancelled', reason: 'no longer needed' });
    expect(model.told().at(-1)).toBe('run.cancelled');
  });

  test('a process that never reports is given up after its grace', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {} });
    model.dispatch();
    model.submit('run.cancel', { run, reason: null });
    model.advance(64);
    expect(model.runRow(run).status).toBe('cancelling');
    model.advance(2);
    expect(model.runRow(run).status).toBe('cancelled');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a success that comes too late is kept and changes nothing', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {}, b: {} }, ['a -> b']);
    const [attempt] = model.dispatch();
    if (attempt === undefined) throw new Error('nothing');
    model.start(attempt);
    model.submit('run.cancel', { run, reason: null });
    const mark = model.events.length;
    model.submit('attempt.complete', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result: { status: 'success', summary: 'late' } },
    });
    expect(model.told(mark)).toEqual([
      'attempt.cancelled a',
      'attempt.orphaned a',
      'run.cancelled',
    ]);
    expect(model.attempt(attempt.id).result?.summary).toBe('late');
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'cancelled', resultAttemptId: null });
  });

  test('said again it is already so; an ended run is refused', () => {
    const model = new Model();
    const run = model.graph({ a: { kind: 'join' } });
    expect(model.refusal('run.cancel', { run, reason: null }).code).toBe('run_ended');
    const other = model.graph({ a: {} });
    model.submit('run.cancel', { run: other, reason: null });
    expect(model.submit('run.cancel', { run: other, reason: null }).already).toBe(true);
    expect(model.refusal('run.cancel', { run: 'run_none', reason: null }).code).toBe('not_found');
  });
});

describe('task.cancel', () => {
  test('takes what needs it along, and lets the rest go on', () => {
    const model = new Model();
    model.worker('w', { slots: 2 });
    const run = model.graph({ a: {}, b: {}, c: {}, d: {}, other: {} }, [
      'a -> b',
      'b -> c',
      'a -done-> d',
    ]);
    model.submit('task.cancel', { task: model.byKey(run, 'a').id, reason: null });
    expect(model.statuses(run)).toEqual({
      a: 'cancelled (cancelled)',
      b: 'cancelled (dependency_cancelled:a)',
      c: 'cancelled (dependency_cancelled:a)',
      d: 'ready',
      other: 'ready',
    });
    for (const attempt of model.dispatch()) model.complete(attempt);
    expect(model.runRow(run).status).toBe('cancelled');
    expect(
      model.submit('task.cancel', { task: model.byKey(run, 'a').id, reason: null }).already,
    ).toBe(true);
    expect(
      model.refusal('task.cancel', { task: model.byKey(run, 'd').id, reason: null }).code,
    ).toBe('wrong_status');
  });

  test('its open question and its timers go with it', () => {
    const model = new Model();
    const run = model.graph({
      a: { kind: 'human', spec: '?', timeouts: { approval: 60 } },
      b: { timeouts: { queue: 60 } },
    });
    for (const key of ['a', 'b']) {
      model.submit('task.cancel', { task: model.byKey(run, key).id, reason: null });
    }
    expect(model.world.all('timers')).toEqual([]);
    expect(model.world.all('checkpoints')[0]?.status).toBe('cancelled');
    expect(faultsOf(model.world)).toEqual([]);
  });
});
