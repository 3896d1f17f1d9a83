import { taskCheckpointOpen, type CheckpointOpen } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

function running(): { model: Model; run: string; attempt: AttemptRow } {
  const model = new Model();
  model.worker('w');
  const run = model.graph({ a: {} });
  const [attempt] = model.dispatch();
  if (attempt === undefined) throw new Error('nothing was handed out');
  model.start(attempt);
  return { model, run, attempt: model.attempt(attempt.id) };
}
const plain: CheckpointOpen = {
  kind: 'question',
  question: 'JWT or cookies?',
  context: null,
  options: ['jwt', 'cookies'],
  answer_by: 'human',
  resume: 'live',
};
function ask(model: Model, attempt: AttemptRow, more: Partial<CheckpointOpen> = {}) {
  return {
    ...model.by(attempt),
    body: { epoch: attempt.epoch, ...plain, ...more },
  };
}

describe('a question of a running agent', () => {
  test('parks it alive; the answer wakes it', () => {
    const { model, run, attempt } = running();
    const mark = model.events.length;
    const { checkpoint } = model.submit('attempt.checkpoint', ask(model, attempt));
    expect(model.told(mark)).toEqual([
      'checkpoint.opened a',
      'attempt.parked a',
      'task.needs_human a',
      'run.waiting',
    ]);
    expect(model.attempt(attempt.id).status).toBe('parked');
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'waiting', checkpointId: checkpoint });
    expect(model.runRow(run)).toMatchObject({ status: 'waiting', needsHuman: 1 });
    expect(faultsOf(model.world)).toEqual([]);

    const answered = model.events.length;
    model.submit('checkpoint.resolve', {
      checkpoint: checkpoint ?? '',
      body: { option: 'jwt', reason: 'refresh tokens' },
      via: 'dashboard',
    });
    expect(model.told(answered)).toEqual([
      'checkpoint.resolved a',
      'attempt.resumed a',
      'task.resumed a',
      'run.resumed',
    ]);
    expect(model.events[answered]?.data).toMatchObject({
      checkpoint,
      worker: attempt.workerId,
      resolution: { option: 'jwt', reason: 'refresh tokens', by: 'ada', via: 'dashboard' },
    });
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'running', checkpointId: null });
    model.complete(model.attempt(attempt.id));
    expect(model.runRow(run).status).toBe('completed');
  });

  test('sent again it is the same question; a second one is refused by name', () => {
    const { model, attempt } = running();
    const asked = ask(model, attempt, { client_id: 'q1' });
    const first = model.submit('attempt.checkpoint', asked);
    expect(model.submit('attempt.checkpoint', asked)).toEqual({ ...first, already: true });
    expect(
      model.refusal('attempt.checkpoint', ask(model, attempt, { client_id: 'q2' })),
    ).toMatchObject({
      code: 'checkpoint_open',
      message: expect.stringContaining(first.checkpoint ?? '?'),
    });
  });

  test.each<[string, Partial<CheckpointOpen>, string]>([
    ['a default that is no option', { default: 'both' }, 'invalid_option'],
    ['use_default without a default', { on_timeout: 'use_default' }, 'invalid_option'],
    ['options that are the same', { options: ['a', 'a'] }, 'invalid_option'],
    ['no way to answer', { options: [], freeform: false }, 'invalid_option'],
  ])('%s is refused', (_, more, code) => {
    const { model, attempt } = running();
    expect(model.refusal('attempt.checkpoint', ask(model, attempt, more)).code).toBe(code);
  });

  test('an attempt that has not started cannot ask', () => {
    const model = new Model();
    model.worker('w');
    model.graph({ a: {} });
    const [attempt] = model.dispatch();
    if (attempt === undefined) throw new Error('nothing');
    expect(model.refusal('attempt.checkpoint', ask(model, attempt)).code).toBe('wrong_status');
  });

  test('only what was offered is an answer', () => {
    const { model, attempt } = running();
    const { checkpoint = '' } = model.submit('attempt.checkpoint', ask(model, attempt));
    const refused = (body: object) =>
      model.refusal('checkpoint.resolve', { checkpoint, body, via: 'api' });
    expect(refused({ option: 'both' })).toMatchObject({
      code: 'invalid_option',
      detail: { options: ['jwt', 'cookies'] },
    });
    expect(refused({ text: 'both' }).code).toBe('invalid_option');
    expect(refused({ use_default: true }).code).toBe('invalid_option');
  });

  test('the first decision wins, and the second is shown it', () => {
    const { model, attempt } = running();
    const { checkpoint = '' } = model.submit(
      'attempt.checkpoint',
      ask(model, attempt, { default: 'cookies' }),
    );
    model.submit('checkpoint.resolve', { checkpoint, body: { use_default: true }, via: 'api' });
    const refusal = model.refusal('checkpoint.resolve', {
      checkpoint,
      body: { option: 'jwt' },
      via: 'api',
    });
    expect(refusal).toMatchObject({
      code: 'checkpoint_closed',
      detail: { status: 'resolved', decision: 'cookies', by: 'ada' },
    });
    expect(refusal.message).toContain('cookies');
  });

  test('at its deadline the default decides, as a person would', () => {
    const { model, run, attempt } = running();
    model.submit(
      'attempt.checkpoint',
      ask(model, attempt, { default: 'jwt', timeout_seconds: 60 }),
    );
    const mark = model.events.length;
    model.advance(61);
    expect(model.told(mark)).toEqual([
      'checkpoint.timed_out a',
      'attempt.resumed a',
      'task.resumed a',
      'run.resumed',
    ]);
    expect(model.events[mark]?.data['resolution']).toMatchObject({
      option: 'jwt',
      use_default: true,
      by: 'timeout',
      via: 'timeout',
    });
    expect(model.byKey(run, 'a').status).toBe('running');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('an answer before the deadline leaves it nothing to do', () => {
    const { model, attempt } = running();
    const { checkpoint = '' } = model.submit(
      'attempt.checkpoint',
      ask(model, attempt, { default: 'jwt', timeout_seconds: 60 }),
    );
    model.submit('checkpoint.resolve', { checkpoint, body: { option: 'cookies' }, via: 'api' });
    expect(model.world.all('timers')).toEqual([]);
    model.advance(61);
    expect(model.world.row('checkpoints', checkpoint)?.resolution?.option).toBe('cookies');
  });

  test('it may fail its task instead, or wait on', () => {
    const failing = running();
    failing.model.submit(
      'attempt.checkpoint',
      ask(failing.model, failing.attempt, { on_timeout: 'fail', timeout_seconds: 60 }),
    );
    failing.model.advance(61);
    expect(failing.model.byKey(failing.run, 'a')).toMatchObject({
      status: 'failed',
      failureClass: 'timeout',
    });
    expect(failing.model.attempt(failing.attempt.id).status).toBe('stopping');
    expect(faultsOf(failing.model.world)).toEqual([]);

    const waiting = running();
    waiting.model.submit(
      'attempt.checkpoint',
      ask(waiting.model, waiting.attempt, { timeout_seconds: 60 }),
    );
    waiting.model.advance(600);
    expect(waiting.model.byKey(waiting.run, 'a').status).toBe('waiting');
  });

  test('goes with its attempt when that is lost or ends', () => {
    const lost = running();
    lost.model.submit('attempt.checkpoint', ask(lost.model, lost.attempt));
    lost.model.fail(lost.attempt, 'lost');
    expect(lost.model.world.all('checkpoints')[0]?.status).toBe('cancelled');
    expect(lost.model.byKey(lost.run, 'a').status).toBe('ready');
    const done = running();
    done.model.submit('attempt.checkpoint', ask(done.model, done.attempt));
    done.model.submit('attempt.complete', {
      ...done.model.by(done.attempt),
      body: { epoch: done.attempt.epoch, result: { status: 'success', summary: '' } },
    });
    expect(done.model.byKey(done.run, 'a').status).toBe('completed');
    expect(faultsOf(done.model.world)).toEqual([]);
  });
});

describe('approval of dispatch', () => {
  function asked(): { model: Model; run: string; task: string } {
    const model = new Model();
    model.worker('w');
    const run = model.graph(
      { a: { approval: { dispatch: true }, timeouts: { approval: 60 } }, b: {} },
      ['a -> b'],
    );
    return { model, run, task: model.byKey(run, 'a').id };
  }

  test('approve lets it go, once', () => {
    const { model, run, task } = asked();
    expect(model.runRow(run).status).toBe('waiting');
    const mark = model.events.length;
    model.submit('task.decide', { task, verb: 'approve', body: { reason: 'fine' }, via: 'cli' });
    expect(model.told(mark)).toEqual([
      'checkpoint.resolved a',
      'task.approved a',
      'task.ready a',
      'run.resumed',
    ]);
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'ready', approved: true });
    expect(model.world.all('timers')).toEqual([]);
    expect(model.refusal('task.decide', { task, verb: 'approve', body: {}, via: 'cli' }).code).toBe(
      'wrong_status',
    );
  });

  test('reject cancels it with the reason, and what needs it cannot start', () => {
    const { model, run, task } = asked();
    model.submit('task.decide', {
      task,
      verb: 'reject',
      body: { reason: 'too risky' },
      via: 'cli',
    });
    expect(model.statuses(run)).toEqual({
      a: 'cancelled (too risky)',
      b: 'skipped (dependency_failed:a)',
    });
    expect(model.runRow(run).status).toBe('cancelled');
  });

  test('unanswered it fails in time', () => {
    const { model, run } = asked();
    model.advance(61);
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'failed', failureClass: 'timeout' });
    expect(model.world.all('checkpoints')[0]?.status).toBe('timed_out');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a verb that its question does not offer is refused with what it offers', () => {
    const { model, attempt } = running();
    model.submit('attempt.checkpoint', ask(model, attempt));
    expect(
      model.refusal('task.decide', {
        task: attempt.taskId,
        verb: 'approve',
        body: {},
        via: 'cli',
      }),
    ).toMatchObject({ code: 'invalid_option', detail: { options: ['jwt', 'cookies'] } });
  });
});

describe('a question put to a task', () => {
  const question = { body: taskCheckpointOpen.parse({ question: 'Which database?' }) };

  test('keeps a ready task from starting; the answer goes into its prompt', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: { timeouts: { queue: 60 } } });
    const task = model.byKey(run, 'a').id;
    const { checkpoint = '' } = model.submit('checkpoint.open', { task, ...question });
    expect(model.dispatch()).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);
    model.submit('checkpoint.resolve', { checkpoint, body: { text: 'PostgreSQL' }, via: 'api' });
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'ready', feedback: 'PostgreSQL' });
    expect(model.dispatch()).toHaveLength(1);
  });

  test('parks a running agent like its own question', () => {
    const { model, run, attempt } = running();
    model.submit('checkpoint.open', { task: attempt.taskId, ...question });
    expect(model.byKey(run, 'a').status).toBe('waiting');
    expect(model.attempt(attempt.id).status).toBe('parked');
  });

  test('is refused elsewhere', () => {
    const model = new Model();
    const run = model.graph({ a: { kind: 'join' } });
    const task = model.byKey(run, 'a').id;
    expect(model.refusal('checkpoint.open', { task, ...question }).code).toBe('wrong_status');
  });
});
