import { describe, expect, test } from 'vitest';
import type { AttemptRow, TimerRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

function running(more: { max?: number; kind?: 'agent' } = {}) {
  const model = new Model();
  const worker = model.worker('w');
  const run = model.graph({
    a: {
      outputs: [{ key: 'x', schema: { type: 'string' } }],
      timeouts: { idle: 60 },
      retry: { max_attempts: more.max ?? 1, backoff_seconds: 0 },
    },
  });
  const [attempt] = model.dispatch();
  if (attempt === undefined) throw new Error('nothing was claimed');
  model.start(attempt);
  return { model, worker, run, attempt };
}

function idleTimer(model: Model): TimerRow | undefined {
  return model.world.all('timers').find((it) => it.kind === 'idle_timeout');
}

/** Fires the idle timer when it is due; the worker has just beaten, the log is as given. */
function fire(model: Model, attempt: AttemptRow, loggedAtMs: number | null): void {
  const timer = idleTimer(model);
  if (timer === undefined) throw new Error('no idle timer');
  model.nowMs = Math.max(model.nowMs, timer.dueAtMs);
  beat(model, attempt);
  model.submit('timer.fire', { timer: timer.id, loggedAtMs });
}

function beat(model: Model, attempt: AttemptRow): void {
  model.submit('worker.heartbeat', {
    worker: attempt.workerId,
    beat: { attempts: [{ id: attempt.id, epoch: attempt.epoch }] },
  });
}

describe('timeouts.idle', () => {
  test('an agent that says nothing is stopped, and its task fails as idle', () => {
    const { model, run, attempt } = running();
    fire(model, attempt, null);
    expect(model.attempt(attempt.id)).toMatchObject({
      status: 'stopping',
      failureClass: 'idle_timeout',
    });
    expect(model.byKey(run, 'a')).toMatchObject({
      status: 'failed',
      failureClass: 'idle_timeout',
      reason: 'said nothing for longer than timeouts.idle',
    });
    model.advance(66);
    expect(model.attempt(attempt.id).status).toBe('timed_out');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('it counts as an attempt and is tried again by the policy', () => {
    const { model, run, attempt } = running({ max: 2 });
    fire(model, attempt, null);
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'ready', attemptCount: 1 });
  });

  test('output sets it again for what is left, without a write for each piece of it', () => {
    const { model, run, attempt } = running();
    const wroteAtMs = model.nowMs + 50_000;
    fire(model, attempt, wroteAtMs);
    expect(model.byKey(run, 'a').status).toBe('running');
    expect(idleTimer(model)?.dueAtMs).toBe(wroteAtMs + 60_000);
    fire(model, attempt, wroteAtMs);
    expect(model.byKey(run, 'a').status).toBe('failed');
  });

  test('progress and outputs are signs of life; progress that is no news is none', () => {
    const { model, run, attempt } = running();
    const say = (text: string) =>
      model.submit('attempt.progress', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, progress: { text } },
      });
    model.nowMs += 40_000;
    say('half way');
    const saidAtMs = model.nowMs;
    model.nowMs += 19_000;
    say('half way');
    fire(model, attempt, null);
    expect(idleTimer(model)?.dueAtMs).toBe(saidAtMs + 60_000);
    model.nowMs = saidAtMs + 30_000;
    model.submit('attempt.output', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, key: 'x', data: 'y' },
    });
    fire(model, attempt, null);
    expect(idleTimer(model)?.dueAtMs).toBe(saidAtMs + 90_000);
    fire(model, attempt, null);
    expect(model.byKey(run, 'a').status).toBe('failed');
  });

  test('who waits for a person is not idle, and begins anew with the answer', () => {
    const { model, run, attempt } = running();
    model.submit('attempt.checkpoint', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        kind: 'question',
        question: 'Which?',
        context: null,
        options: ['a', 'b'],
        answer_by: 'human',
        resume: 'live',
      },
    });
    for (let time = 0; time < 5; time++) fire(model, attempt, null);
    expect(model.byKey(run, 'a').status).toBe('waiting');
    const checkpoint = model.byKey(run, 'a').checkpointId ?? '';
    model.nowMs += 30_000;
    model.submit('checkpoint.resolve', { checkpoint, body: { option: 'a' }, via: 'api' });
    const answeredAtMs = model.nowMs;
    fire(model, attempt, null);
    expect(model.byKey(run, 'a').status).toBe('running');
    expect(idleTimer(model)?.dueAtMs).toBe(answeredAtMs + 60_000);
    fire(model, attempt, null);
    expect(model.byKey(run, 'a').failureClass).toBe('idle_timeout');
  });

  test('nothing is concluded from the silence of a worker that cannot be heard', () => {
    const { model, run } = running();
    const timer = idleTimer(model);
    model.nowMs = timer?.dueAtMs ?? 0;
    model.submit('timer.fire', { timer: timer?.id ?? '', loggedAtMs: null });
    expect(model.byKey(run, 'a').status).toBe('running');
    expect(idleTimer(model)?.dueAtMs).toBe(model.nowMs + 60_000);
  });

  test('nor from a silence that the control plane could not hear', () => {
    const { model, run, attempt } = running();
    const timer = idleTimer(model);
    model.nowMs = (timer?.dueAtMs ?? 0) + 11_000;
    beat(model, attempt);
    model.submit('timer.fire', { timer: timer?.id ?? '', loggedAtMs: null });
    expect(model.byKey(run, 'a').status).toBe('running');
  });

  test('the timer goes with its attempt', () => {
    const { model, attempt } = running();
    model.complete(attempt, { x: 'y' });
    expect(idleTimer(model)).toBeUndefined();
    expect(faultsOf(model.world)).toEqual([]);
  });
});
