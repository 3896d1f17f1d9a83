import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

/** Hands out all that is ready; answers the attempts by key. */
function handOut(model: Model): Record<string, AttemptRow> {
  return Object.fromEntries(
    model.dispatch().map((it) => [model.world.row('tasks', it.taskId)?.key ?? '', it]),
  );
}
function attemptOf(attempts: Record<string, AttemptRow>, key: string): AttemptRow {
  const found = attempts[key];
  if (found === undefined) throw new Error(`${key} was not handed out`);
  return found;
}
function modelWith(slots = 8): Model {
  const model = new Model();
  model.worker('w', { slots });
  return model;
}

describe('when a task fails', () => {
  test('what needs it is out of play while other branches run, and is skipped at the end', () => {
    const model = modelWith();
    const run = model.graph({ a: {}, b: {}, c: {}, d: {}, other: {} }, [
      'a -> b',
      'b -> c',
      'other -> c',
      'other -> d',
    ]);
    const attempts = handOut(model);
    model.fail(attemptOf(attempts, 'a'));
    expect(model.statuses(run)).toEqual({
      a: 'failed (it broke)',
      b: 'blocked (dependency_failed:a)',
      c: 'blocked (dependency_failed:a)',
      d: 'blocked',
      other: 'running',
    });
    expect(model.runRow(run)).toMatchObject({ status: 'running', outOfPlay: 2, openTasks: 4 });
    model.complete(attemptOf(attempts, 'other'));
    model.complete(attemptOf(handOut(model), 'd'));
    expect(model.statuses(run)).toMatchObject({
      b: 'skipped (dependency_failed:a)',
      c: 'skipped (dependency_failed:a)',
      d: 'completed',
    });
    expect(model.runRow(run)).toMatchObject({ status: 'failed', reason: 'task_failed:a' });
    expect(model.told().slice(-3)).toEqual(['task.skipped b', 'task.skipped c', 'run.failed']);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a `done` edge is satisfied by whatever end, also by going out of play', () => {
    const model = modelWith();
    const run = model.graph({ a: {}, b: {}, clean: {}, after: {} }, [
      'a -> b',
      'a -done-> clean',
      'b -done-> after',
    ]);
    model.fail(attemptOf(handOut(model), 'a'));
    expect(model.statuses(run)).toMatchObject({ clean: 'ready', after: 'ready' });
    for (const attempt of Object.values(handOut(model))) model.complete(attempt);
    expect(model.runRow(run).status).toBe('failed');
  });

  test('a `failure` edge starts its handler; without a failure it is skipped, which is a success', () => {
    const model = modelWith();
    const run = model.graph({ a: {}, b: {}, fix_a: {}, fix_b: {}, after_fix_b: {} }, [
      'a -failure-> fix_a',
      'b -failure-> fix_b',
      'fix_b -> after_fix_b',
    ]);
    const attempts = handOut(model);
    model.fail(attemptOf(attempts, 'a'));
    model.complete(attemptOf(attempts, 'b'));
    expect(model.statuses(run)).toMatchObject({
      fix_a: 'ready',
      fix_b: 'skipped (condition_not_met:b)',
      after_fix_b: 'blocked (dependency_failed:fix_b)',
    });
    model.complete(attemptOf(handOut(model), 'fix_a'));
    expect(model.runRow(run).status).toBe('failed');
  });

  test('a run whose handlers were not needed is completed', () => {
    const model = modelWith();
    const run = model.graph({ a: {}, fix: {} }, ['a -failure-> fix']);
    model.complete(attemptOf(handOut(model), 'a'));
    expect(model.statuses(run)).toEqual({
      a: 'completed',
      fix: 'skipped (condition_not_met:a)',
    });
    expect(model.runRow(run).status).toBe('completed');
  });

  test('what leaves play and is skipped at once starts what follows it, once', () => {
    const model = modelWith();
    const run = model.graph({ a: {}, fix: { kind: 'verify' }, b: {}, after: {} }, [
      'a -failure-> fix',
      'fix -gate-> b',
      'fix -failure-> b',
      'b -done-> after',
    ]);
    model.complete(attemptOf(handOut(model), 'a'));
    expect(model.statuses(run)).toEqual({
      a: 'completed',
      fix: 'skipped (condition_not_met:a)',
      b: 'skipped (condition_not_met:fix)',
      after: 'ready',
    });
    expect(model.told().filter((it) => it === 'dependency.resolved after')).toHaveLength(1);
    expect(faultsOf(model.world)).toEqual([]);
    model.complete(attemptOf(handOut(model), 'after'));
    expect(model.runRow(run).status).toBe('completed');
  });

  test('`fail_run` cancels all the rest, and the run has failed', () => {
    const model = modelWith();
    const run = model.graph({ a: {}, b: {}, c: {} }, ['b -> c'], {
      policy: { on_task_failure: 'fail_run' },
    });
    const attempts = handOut(model);
    model.fail(attemptOf(attempts, 'a'));
    expect(model.statuses(run)).toMatchObject({
      b: 'cancelled (run_failed:a)',
      c: 'cancelled (run_failed:a)',
    });
    expect(model.runRow(run).status).toBe('failed');
    expect(model.attempt(attemptOf(attempts, 'b').id).status).toBe('stopping');
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('gates', () => {
  function judged(status: 'success' | 'partial' | 'failed') {
    const model = modelWith();
    const run = model.graph({ check: { kind: 'verify' }, ship: {} }, ['check -gate-> ship']);
    const attempt = attemptOf(handOut(model), 'check');
    model.start(attempt);
    model.submit('attempt.complete', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result: { status, summary: 'seen' } },
    });
    return { statuses: model.statuses(run), run: model.runRow(run).status };
  }

  test('a success opens it', () => {
    expect(judged('success').statuses['ship']).toBe('ready');
  });

  test.each(['partial', 'failed'] as const)('%s does not', (status) => {
    expect(judged(status).statuses['ship']).toBe('skipped (gate_failed:check)');
  });
});

describe('joins and people', () => {
  test('a join completes in the cascade, and what waits for it starts in the same commit', () => {
    const model = modelWith();
    const run = model.graph({ a: {}, b: {}, all: { kind: 'join' }, next: {} }, [
      'a -> all',
      'b -> all',
      'all -> next',
    ]);
    const attempts = handOut(model);
    model.complete(attemptOf(attempts, 'a'));
    expect(model.statuses(run)['all']).toBe('blocked');
    model.complete(attemptOf(attempts, 'b'));
    expect(model.statuses(run)).toMatchObject({ all: 'completed', next: 'ready' });
  });

  test('a human task asks when its turn comes, and its answer completes it', () => {
    const model = modelWith();
    const run = model.graph({ a: {}, ask: { kind: 'human', spec: 'Ship it?' }, b: {} }, [
      'a -> ask',
      'ask -> b',
    ]);
    expect(model.world.all('checkpoints')).toEqual([]);
    model.complete(attemptOf(handOut(model), 'a'));
    const [checkpoint] = model.world.all('checkpoints');
    expect(checkpoint).toMatchObject({ question: 'Ship it?', freeform: true, status: 'open' });
    expect(model.runRow(run)).toMatchObject({ status: 'waiting', needsHuman: 1 });
    model.submit('task.decide', {
      task: model.byKey(run, 'ask').id,
      verb: 'answer',
      body: { text: 'yes, today' },
      via: 'cli',
    });
    expect(model.statuses(run)).toMatchObject({ ask: 'completed (yes, today)', b: 'ready' });
    expect(model.runRow(run).status).toBe('running');
    expect(faultsOf(model.world)).toEqual([]);
  });
});
