import { LIMITS } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';
import type { TaskSpecInput } from '@baton/contract';

function running(task: TaskSpecInput = {}): { model: Model; run: string; attempt: AttemptRow } {
  const model = new Model();
  model.worker('w', { slots: 2 });
  const run = model.graph({ a: task });
  const [attempt] = model.dispatch();
  if (attempt === undefined) throw new Error('nothing was handed out');
  model.start(attempt);
  return { model, run, attempt: model.attempt(attempt.id) };
}
const success = { status: 'success' as const, summary: 'done' };

describe('fencing', () => {
  test('is checked in order: whose attempt, which epoch, what it means', () => {
    const { model, attempt } = running();
    const body = { epoch: attempt.epoch, key: 'x', data: 1 };
    const code = (said: object) =>
      model.refusal('attempt.output', { ...model.by(attempt), body, ...said }).code;
    expect(code({ worker: 'wrk_other' })).toBe('not_found');
    expect(code({ attempt: 'att_none' })).toBe('not_found');
    expect(code({ body: { ...body, epoch: attempt.epoch - 1 } })).toBe('stale_epoch');
    expect(code({})).toBe('unknown_contract');
  });

  test('the refusal of an old epoch names the current one', () => {
    const { model, attempt } = running();
    model.nowMs = attempt.leaseUntilMs;
    model.submit('lease.expire', { attempt: attempt.id, leaseUntilMs: attempt.leaseUntilMs });
    const [next] = model.dispatch();
    const refusal = model.refusal('attempt.progress', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch },
    });
    expect(refusal).toMatchObject({
      code: 'stale_epoch',
      detail: { epoch: next?.epoch, attempt_status: 'lost' },
    });
  });

  test('a stopping attempt may add artifacts and report its end, nothing else', () => {
    const { model, run, attempt } = running({ outputs: [{ key: 'x' }] });
    model.submit('run.cancel', { run, reason: null });
    const by = model.by(attempt);
    const { epoch } = attempt;
    expect(
      model.refusal('attempt.output', { ...by, body: { epoch, key: 'x', data: 1 } }).code,
    ).toBe('stale_epoch');
    expect(model.refusal('attempt.progress', { ...by, body: { epoch } }).code).toBe('stale_epoch');
    const artifact = {
      epoch,
      name: 'left.patch',
      kind: 'patch' as const,
      media_type: 'text/plain',
      size: 3,
      sha256: 'f'.repeat(64),
      meta: {},
    };
    expect(
      model.submit('attempt.artifact', { ...by, body: artifact, stored: false }),
    ).toMatchObject({ upload: true });
    expect(model.submit('attempt.artifact', { ...by, body: artifact, stored: true })).toMatchObject(
      { upload: false, already: true },
    );
    model.fail(attempt);
    expect(model.attempt(attempt.id).status).toBe('cancelled');
  });
});

describe('attempt.start', () => {
  test('said twice is the same; the first commit of a base stands', () => {
    const { model, run, attempt } = running();
    const start = (bases: Record<string, string>) =>
      model.submit('attempt.start', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, bases },
      });
    expect(start({ 'r@main': 'late' }).already).toBe(true);
    expect(model.runRow(run).bases).toEqual({});
    const other = model.graph({ a: {}, b: {} });
    model.worker('w2', { slots: 2 });
    const [x, y] = model.dispatch();
    if (x === undefined || y === undefined) throw new Error('two tasks');
    model.submit('attempt.start', {
      ...model.by(x),
      body: { epoch: x.epoch, bases: { 'r@main': 'one' } },
    });
    model.submit('attempt.start', {
      ...model.by(y),
      body: { epoch: y.epoch, bases: { 'r@main': 'two', 'q@main': 'three' } },
    });
    expect(model.runRow(other).bases).toEqual({ 'r@main': 'one', 'q@main': 'three' });
  });
});

describe('contracts', () => {
  const outputs = [
    { key: 'x', schema: { type: 'object', required: ['v'] } },
    { key: 'y', required: false },
  ];

  test('are declared, fit their schema and are not too large', () => {
    const { model, attempt } = running({ outputs });
    const set = (key: string, data: never) =>
      model.refusal('attempt.output', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, key, data },
      });
    expect(set('z', 1 as never)).toMatchObject({
      code: 'unknown_contract',
      message: expect.stringContaining('Declared: x, y.'),
    });
    expect(set('x', {} as never)).toMatchObject({
      code: 'contract_violation',
      detail: { violations: ['must have v'] },
    });
    const large = 'é'.repeat(LIMITS.contractDataBytesMax / 2);
    expect(set('y', large as never)).toMatchObject({
      code: 'limit_exceeded',
      message: expect.stringContaining('artifact'),
    });
  });

  test('what is required must be there to complete, set before or with the result', () => {
    const { model, run, attempt } = running({ outputs });
    const complete = (contracts: Record<string, never>) => ({
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result: { ...success, contracts } },
    });
    expect(model.refusal('attempt.complete', complete({}))).toMatchObject({
      code: 'contract_violation',
      detail: { missing: ['x'] },
    });
    expect(model.refusal('attempt.complete', complete({ x: 'no' as never })).code).toBe(
      'contract_violation',
    );
    expect(model.byKey(run, 'a').status).toBe('running');
    model.submit('attempt.complete', complete({ x: { v: 1 } as never }));
    expect(model.world.all('outputs')).toMatchObject([{ key: 'x', data: { v: 1 } }]);
  });

  test('the same data again is the same answer, other data replaces it', () => {
    const { model, attempt } = running({ outputs });
    const set = (data: object) =>
      model.submit('attempt.output', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, key: 'x', data: data as never },
      });
    set({ v: 1, w: 2 });
    expect(set({ w: 2, v: 1 }).already).toBe(true);
    expect(set({ v: 2 }).already).toBeUndefined();
    expect(model.world.all('outputs')).toMatchObject([{ data: { v: 2 } }]);
  });

  test('what an attempt set that did not finish is no output of the task', () => {
    const { model, run, attempt } = running({
      outputs,
      retry: { max_attempts: 2, backoff_seconds: 0 },
    });
    model.submit('attempt.output', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, key: 'y', data: 'old' },
    });
    model.fail(attempt);
    const [second] = model.dispatch();
    if (second === undefined) throw new Error('not offered again');
    expect(second.number).toBe(2);
    model.start(second);
    model.submit('attempt.complete', {
      ...model.by(second),
      body: { epoch: second.epoch, result: { ...success, contracts: { x: { v: 1 } } } },
    });
    expect(model.world.all('outputs').map((it) => it.key)).toEqual(['x']);
    expect(model.byKey(run, 'a').resultAttemptId).toBe(second.id);
  });
});

describe('the end of an attempt', () => {
  test('a repeated report gets its first answer, another one is a conflict', () => {
    const { model, attempt } = running();
    const complete = (summary: string) => ({
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result: { status: 'success' as const, summary } },
    });
    const first = model.submit('attempt.complete', complete('done'));
    const mark = model.events.length;
    expect(model.submit('attempt.complete', complete('done'))).toEqual({ ...first, already: true });
    expect(model.told(mark)).toEqual([]);
    expect(model.refusal('attempt.complete', complete('other')).code).toBe('completion_conflict');
    expect(
      model.refusal('attempt.fail', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, reason: 'no', failure_class: 'agent_error' },
      }).code,
    ).toBe('completion_conflict');
    expect(
      model.refusal('attempt.progress', { ...model.by(attempt), body: { epoch: attempt.epoch } })
        .code,
    ).toBe('stale_epoch');
  });

  test.each(['failed', 'blocked'] as const)('a result that says %s is a failure', (status) => {
    const { model, run, attempt } = running();
    model.submit('attempt.complete', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result: { status, summary: 'cannot' } },
    });
    expect(model.byKey(run, 'a')).toMatchObject({
      status: 'failed',
      failureClass: 'agent_error',
      reason: 'cannot',
    });
    expect(model.attempt(attempt.id)).toMatchObject({ status: 'failed', result: { status } });
  });

  test('a partial result completes the task', () => {
    const { model, run, attempt } = running();
    model.submit('attempt.complete', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result: { status: 'partial', summary: 'half' } },
    });
    expect(model.byKey(run, 'a').status).toBe('completed');
  });

  test('costs are cumulative per attempt and add up in task and run', () => {
    const { model, run, attempt } = running({ retry: { max_attempts: 2, backoff_seconds: 0 } });
    const usage = (usd: string) => ({
      input_tokens: 1,
      output_tokens: 1,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      usd,
    });
    const { epoch } = attempt;
    model.submit('attempt.progress', {
      ...model.by(attempt),
      body: { epoch, usage: usage('0.10') },
    });
    model.submit('attempt.progress', {
      ...model.by(attempt),
      body: { epoch, usage: usage('0.25') },
    });
    model.submit('attempt.fail', {
      ...model.by(attempt),
      body: { epoch, reason: 'x', failure_class: 'agent_error', usage: usage('0.30') },
    });
    const [second] = model.dispatch();
    if (second === undefined) throw new Error('not offered again');
    model.submit('attempt.progress', {
      ...model.by(second),
      body: { epoch: second.epoch, usage: usage('0.05') },
    });
    expect(model.byKey(run, 'a').usdMicros).toBe(350_000);
    expect(model.runRow(run).usdMicros).toBe(350_000);
  });

  test('a worker is warm for the repository it finished work in', () => {
    const model = new Model();
    const worker = model.worker('w');
    model.graph({ a: { workspace: { repo: 'git@github.com:Shop/Api.git' } } });
    for (const attempt of model.dispatch()) model.complete(attempt);
    expect(model.world.row('workers', worker)?.warmRepos).toEqual(['github.com/shop/api']);
  });
});

describe('retries', () => {
  test('a counted failure waits for its backoff, and takes no slot meanwhile', () => {
    const { model, run, attempt } = running({ retry: { max_attempts: 2, backoff_seconds: 10 } });
    const mark = model.events.length;
    model.fail(attempt);
    expect(model.told(mark)).toEqual(['attempt.failed a', 'task.retrying a', 'task.ready a']);
    expect(model.events.at(-2)?.data).toMatchObject({
      failure_class: 'agent_error',
      counted: true,
    });
    expect(model.statuses(run)).toEqual({ a: 'ready (backoff)' });
    expect(model.runRow(run).status).toBe('running');
    expect(model.dispatch()).toEqual([]);
    model.advance(12);
    const [second] = model.dispatch();
    if (second === undefined) throw new Error('not offered again');
    model.fail(second);
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'failed', attemptCount: 2 });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('handing back is not counted', () => {
    const { model, run, attempt } = running();
    model.submit('attempt.release', { ...model.by(attempt), body: { epoch: attempt.epoch } });
    expect(model.byKey(run, 'a')).toMatchObject({
      status: 'ready',
      attemptCount: 0,
      freeRetries: 1,
    });
    expect(model.dispatch()).toHaveLength(1);
  });

  test('five lost attempts in a row are poison; progress begins a new row', () => {
    const { model, run } = running();
    const lose = () => {
      const [attempt] = model.world.list('openAttemptsOfRun', run);
      if (attempt === undefined) throw new Error('not offered again');
      model.fail(attempt, 'lost');
      model.dispatch();
    };
    lose();
    lose();
    const [third] = model.world.list('openAttemptsOfRun', run);
    if (third === undefined) throw new Error('not offered again');
    model.submit('attempt.progress', {
      ...model.by(third),
      body: { epoch: third.epoch, progress: { text: 'half' } },
    });
    for (let count = 0; count < 4; count++) lose();
    expect(model.byKey(run, 'a').status).toBe('running');
    lose();
    expect(model.byKey(run, 'a')).toMatchObject({
      status: 'failed',
      failureClass: 'internal',
      reason: 'poison: it broke',
    });
  });

  test('a rate limit parks the task until its reset', () => {
    const { model, run, attempt } = running({ needs: { engine: 'claude' } });
    model.submit('attempt.fail', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        reason: '429',
        failure_class: 'rate_limited',
        retry_at: '2025-10-09T09:00:00.000Z',
      },
    });
    expect(model.statuses(run)).toEqual({ a: 'waiting (rate_limited)' });
    expect(model.byKey(run, 'a').retryAtMs).toBe(1_760_000_400_000);
    model.advance(401);
    expect(model.dispatch()).toHaveLength(1);
  });
});

describe('timeouts', () => {
  test('an attempt that runs too long is stopped, and its task tried again', () => {
    const { model, run, attempt } = running({
      timeouts: { run: 60 },
      retry: { max_attempts: 2, backoff_seconds: 0 },
    });
    model.advance(61);
    expect(model.attempt(attempt.id).status).toBe('stopping');
    const [second] = model.dispatch();
    expect(second?.number).toBe(2);
    model.advance(66);
    expect(model.attempt(attempt.id)).toMatchObject({
      status: 'timed_out',
      failureClass: 'timeout',
    });
    expect(model.byKey(run, 'a')).toMatchObject({ status: 'failed', failureClass: 'timeout' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('an attempt that does not start, and a task that nobody takes', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: { timeouts: { start: 10 } }, b: { timeouts: { queue: 20 } } });
    model.dispatch();
    model.advance(11);
    expect(model.statuses(run)['a']).toBe('failed (did not start in time (timeouts.start))');
    model.advance(11);
    expect(model.statuses(run)['b']).toBe('failed (nobody took it in time (timeouts.queue))');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a timer that was set for another epoch has no effect', () => {
    const { model, run, attempt } = running({ timeouts: { run: 60 } });
    const [timer] = model.world.all('timers');
    if (timer === undefined) throw new Error('no timer');
    model.submit('attempt.release', { ...model.by(attempt), body: { epoch: attempt.epoch } });
    model.world.apply([{ table: 'timers', id: timer.id, row: timer }]);
    model.dispatch();
    model.nowMs = timer.dueAtMs;
    model.submit('timer.fire', { timer: timer.id });
    expect(model.byKey(run, 'a').status).toBe('running');
    expect(model.submit('timer.fire', { timer: timer.id }).already).toBe(true);
  });
});
