import type { CommandOf } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model, PROJECT } from '../testing/model.ts';

type Held = CommandOf<'worker.hello'>['hello']['attempts'];

function withAttempts(count: number): { model: Model; worker: string; attempts: AttemptRow[] } {
  const model = new Model();
  const worker = model.worker('w', { slots: count });
  model.graph(Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, {}])));
  return { model, worker, attempts: model.dispatch() };
}
function hello(model: Model, worker: string, attempts: Held, incarnation = 'w-2') {
  const row = model.world.row('workers', worker);
  return model.submit('worker.hello', {
    worker,
    hello: {
      type: 'hello',
      incarnation,
      version: '1.1.0',
      slots: row?.slots ?? 1,
      labels: { zone: 'eu' },
      capabilities: row?.capabilities ?? {
        engines: [],
        repos: [],
        languages: [],
        tools: [],
        environments: [],
      },
      draining: false,
      attempts,
    },
  });
}
const held = (attempt: AttemptRow, ended = false) => ({
  id: attempt.id,
  epoch: attempt.epoch,
  ended,
});
function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}

describe('worker.hello', () => {
  test('what was claimed and never reached it is delivered again, under the same epoch', () => {
    const { model, worker, attempts } = withAttempts(2);
    const reply = hello(model, worker, [held(at(attempts, 0))]);
    expect(reply).toMatchObject({
      claimed: [{ worker, attempt: at(attempts, 1).id }],
      stale: [],
      cancel: [],
    });
    expect(model.attempt(at(attempts, 1).id)).toMatchObject({
      status: 'claimed',
      epoch: at(attempts, 1).epoch,
    });
  });

  test('what ran and is unknown to it is lost at once, and offered again', () => {
    const { model, worker, attempts } = withAttempts(1);
    model.start(at(attempts, 0));
    hello(model, worker, []);
    expect(model.attempt(at(attempts, 0).id)).toMatchObject({
      status: 'lost',
      failureClass: 'lost',
    });
    expect(model.dispatch()).toHaveLength(1);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('what it holds and the server has ended is stale, unless its report is on the way', () => {
    const { model, worker, attempts } = withAttempts(3);
    model.complete(at(attempts, 0));
    model.complete(at(attempts, 1));
    const reply = hello(model, worker, [
      held(at(attempts, 0)),
      held(at(attempts, 1), true),
      { ...held(at(attempts, 2)), epoch: 1 },
    ]);
    expect(reply.stale).toEqual([at(attempts, 0).id, at(attempts, 2).id]);
  });

  test('what is being stopped is to be stopped; without it there is nothing to stop', () => {
    const { model, worker, attempts } = withAttempts(2);
    for (const attempt of attempts) model.start(attempt);
    const run = at(attempts, 0).runId;
    model.submit('run.cancel', { run, reason: null });
    expect(hello(model, worker, [held(at(attempts, 0))]).cancel).toMatchObject([
      { attempt: at(attempts, 0).id, how: 'cancel' },
    ]);
    expect(model.attempt(at(attempts, 1).id).status).toBe('cancelled');
    expect(model.runRow(run).status).toBe('cancelling');
    hello(model, worker, [], 'w-3');
    expect(model.runRow(run).status).toBe('cancelled');
    expect(model.world.all('timers')).toEqual([]);
  });

  test('hears how what it names was stopped: for good, to be gone on with, or to be kept', () => {
    const { model, worker, attempts } = withAttempts(3);
    for (const attempt of attempts) model.start(attempt);
    model.submit('task.pause', { task: at(attempts, 0).taskId, reason: null });
    model.submit('task.cancel', { task: at(attempts, 1).taskId, reason: 'not needed' });
    const asking = at(attempts, 2);
    const how = { context: null, answer_by: 'human', resume: 'held' } as const;
    model.submit('attempt.checkpoint', {
      ...model.by(asking),
      body: { epoch: asking.epoch, kind: 'question', question: 'Which?', options: ['a'], ...how },
    });
    const orders = [
      { attempt: at(attempts, 0).id, how: 'yield', reason: 'paused' },
      { attempt: at(attempts, 1).id, how: 'cancel', reason: 'not needed' },
      { attempt: asking.id, how: 'hold' },
    ];
    const said = hello(
      model,
      worker,
      attempts.map((it) => held(it)),
    );
    expect(said.cancel).toMatchObject(orders);
    const beat = { attempts: attempts.map(({ id, epoch }) => ({ id, epoch })) };
    expect(model.submit('worker.heartbeat', { worker, beat }).cancel).toMatchObject(orders);
  });

  test('tells that it is online, and renews what it holds', () => {
    const { model, worker, attempts } = withAttempts(1);
    model.submit('worker.gone', { worker, incarnation: 'w-1' });
    expect(model.world.row('workers', worker)).toMatchObject({
      incarnation: null,
      presence: 'silent',
    });
    model.nowMs += 60_000;
    const mark = model.events.length;
    hello(model, worker, [held(at(attempts, 0))]);
    expect(model.told(mark)).toEqual(['worker.online']);
    expect(model.attempt(at(attempts, 0).id).leaseUntilMs).toBe(model.nowMs + 90_000);
    expect(model.world.row('workers', worker)).toMatchObject({
      incarnation: 'w-2',
      version: '1.1.0',
      labels: { zone: 'eu' },
    });
  });

  test('a link that was taken for ended by the late end of another one is known again by its beat', () => {
    const { model, worker } = withAttempts(1);
    hello(model, worker, []);
    hello(model, worker, [], 'late');
    model.submit('worker.gone', { worker, incarnation: 'late' });
    expect(model.world.row('workers', worker)?.incarnation).toBeNull();
    model.submit('worker.heartbeat', { worker, incarnation: 'w-2', beat: { attempts: [] } });
    expect(model.world.row('workers', worker)).toMatchObject({
      incarnation: 'w-2',
      presence: 'online',
    });
  });

  test('a link of an older start that closes late takes nothing away', () => {
    const { model, worker } = withAttempts(1);
    hello(model, worker, []);
    expect(model.submit('worker.gone', { worker, incarnation: 'w-1' }).already).toBe(true);
    expect(model.world.row('workers', worker)?.incarnation).toBe('w-2');
  });
});

describe('worker.heartbeat', () => {
  const beat = (model: Model, worker: string, attempts: readonly AttemptRow[], progress?: string) =>
    model.submit('worker.heartbeat', {
      worker,
      beat: {
        attempts: attempts.map((it) => ({
          id: it.id,
          epoch: it.epoch,
          ...(progress === undefined ? {} : { progress: { text: progress } }),
        })),
      },
    });

  test('renews the leases of what it names, and takes up progress that is news', () => {
    const { model, worker, attempts } = withAttempts(1);
    model.start(at(attempts, 0));
    model.nowMs += 10_000;
    beat(model, worker, attempts, 'reading');
    expect(model.attempt(at(attempts, 0).id).leaseUntilMs).toBe(model.nowMs + 90_000);
    const mark = model.events.length;
    beat(model, worker, attempts, 'reading');
    beat(model, worker, attempts, 'writing');
    expect(model.told(mark)).toEqual(['task.progressed t0']);
  });

  test('an attempt that two beats in a row do not name is lost; one that is only claimed is not', () => {
    const { model, worker, attempts } = withAttempts(2);
    const started = at(attempts, 0);
    model.start(started);
    beat(model, worker, []);
    expect(model.attempt(started.id)).toMatchObject({ status: 'running', missedBeats: 1 });
    beat(model, worker, [model.attempt(started.id)]);
    beat(model, worker, []);
    expect(model.attempt(started.id)).toMatchObject({ status: 'running', missedBeats: 1 });
    beat(model, worker, []);
    expect(model.attempt(started.id).status).toBe('lost');
    expect(model.attempt(at(attempts, 1).id).status).toBe('claimed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('answers what to stop and what is not its any more', () => {
    const { model, worker, attempts } = withAttempts(2);
    model.start(at(attempts, 0));
    model.complete(at(attempts, 1));
    model.submit('task.cancel', { task: at(attempts, 0).taskId, reason: null });
    expect(beat(model, worker, attempts)).toMatchObject({
      cancel: [{ attempt: at(attempts, 0).id, how: 'cancel' }],
      stale: [at(attempts, 1).id],
    });
  });
});

describe('silence', () => {
  test('is told step by step, and the first beat ends it', () => {
    const { model, worker } = withAttempts(0 + 1);
    const mark = model.events.length;
    const sweep = (seconds: number) => {
      model.nowMs += seconds * 1_000;
      model.submit('worker.sweep', { worker });
    };
    sweep(29);
    sweep(2);
    sweep(58);
    sweep(2);
    sweep(500);
    expect(model.told(mark)).toEqual(['worker.silent', 'worker.offline']);
    model.submit('worker.heartbeat', { worker, beat: { attempts: [] } });
    expect(model.told(mark).at(-1)).toBe('worker.online');
  });

  test('a lease that is over loses the attempt, unless it was renewed meanwhile', () => {
    const { model, attempts } = withAttempts(1);
    const attempt = at(attempts, 0);
    const expire = (leaseUntilMs: number) =>
      model.submit('lease.expire', { attempt: attempt.id, leaseUntilMs });
    expect(expire(attempt.leaseUntilMs).already).toBe(true);
    model.nowMs = attempt.leaseUntilMs;
    model.submit('attempt.heartbeat', { ...model.by(attempt), body: { epoch: attempt.epoch } });
    expect(expire(attempt.leaseUntilMs).already).toBe(true);
    model.nowMs += 90_000;
    expect(expire(attempt.leaseUntilMs).already).toBe(true);
    expect(expire(model.attempt(attempt.id).leaseUntilMs).already).toBeUndefined();
    expect(model.attempt(attempt.id).status).toBe('lost');
  });

  test('after an absence of the control plane every lease is at least two leases long', () => {
    const { model, attempts } = withAttempts(2);
    model.nowMs += 3_600_000;
    model.complete(at(attempts, 1));
    model.submit('lease.grace', { attempts: attempts.map((it) => it.id) });
    expect(model.attempt(at(attempts, 0).id).leaseUntilMs).toBe(model.nowMs + 180_000);
    expect(model.attempt(at(attempts, 1).id).status).toBe('succeeded');
  });
});

describe('joining and leaving the fleet', () => {
  const body = {
    name: 'w',
    slots: 2,
    labels: { os: 'linux' },
    capabilities: { engines: [], repos: [], languages: [], tools: [], environments: [] },
    ephemeral: false,
  };
  function token(model: Model, more: Partial<CommandOf<'joinToken.create'>['body']> = {}): string {
    const id = `jtk_${model.world.all('joinTokens').length}`;
    model.submit('joinToken.create', {
      body: { labels: { pool: 'a' }, max_uses: 1, ephemeral: false, ...more },
      id,
      tokenHash: id,
      expiresAtMs: model.nowMs + 60_000,
    });
    return id;
  }
  const register = (joinToken: string | null, ownWorker: string | null = null, name = 'w') => ({
    body: { ...body, name },
    joinToken,
    ownWorker,
    keyHash: `key-${joinToken ?? ownWorker ?? ''}`,
  });

  test('a token serves as often and as long as it was made for', () => {
    const model = new Model();
    const first = token(model);
    const { worker = '' } = model.submit('worker.register', register(first));
    expect(model.world.row('workers', worker)).toMatchObject({
      name: 'w',
      labels: { os: 'linux', pool: 'a' },
      presence: 'offline',
    });
    expect(model.refusal('worker.register', register(first, null, 'x')).code).toBe(
      'join_token_invalid',
    );
    const second = token(model);
    model.nowMs += 60_000;
    expect(model.refusal('worker.register', register(second, null, 'x')).code).toBe(
      'join_token_invalid',
    );
    expect(model.refusal('worker.register', register('jtk_none')).code).toBe('join_token_invalid');
  });

  test('a name that exists needs its own key or a token for that name', () => {
    const model = new Model();
    const { worker } = model.submit('worker.register', register(token(model)));
    const refusal = model.refusal('worker.register', register(token(model)));
    expect(refusal.code).toBe('worker_exists');
    expect(refusal.message).toMatch(/own key.*--name w/);
    expect(model.submit('worker.register', register(null, worker)).worker).toBe(worker);
    const named = token(model, { name: 'w' });
    expect(model.submit('worker.register', register(named)).worker).toBe(worker);
    expect(model.world.row('workers', worker ?? '')?.keyHash).toBe(`key-${named}`);
    expect(model.refusal('worker.register', register(token(model, { name: 'y' }))).code).toBe(
      'join_token_invalid',
    );
  });

  test('a worker may change its name to a free one', () => {
    const model = new Model();
    const { worker = '' } = model.submit('worker.register', register(token(model)));
    model.submit('worker.register', register(null, worker, 'renamed'));
    expect(model.world.list('workerByName', `${PROJECT}/renamed`)).toHaveLength(1);
    expect(model.world.list('workerByName', `${PROJECT}/w`)).toHaveLength(0);
  });

  test('a worker that says it ends gets no more work, until it comes back', () => {
    const model = new Model();
    const worker = model.worker('w', { slots: 2 });
    model.graph({ a: {} });
    model.submit('worker.leaving', { worker });
    expect(model.submit('worker.leaving', { worker }).already).toBe(true);
    expect(model.dispatch(worker)).toEqual([]);
    expect(model.world.row('workers', worker)?.draining).toBe(false);
    hello(model, worker, []);
    expect(model.dispatch(worker)).toHaveLength(1);
  });

  test('draining is over when the last attempt has ended', () => {
    const { model, worker, attempts } = withAttempts(2);
    const mark = model.events.length;
    model.submit('worker.drain', { worker, draining: true });
    expect(model.submit('worker.drain', { worker, draining: true }).already).toBe(true);
    for (const attempt of attempts) model.complete(attempt);
    const told = model.told(mark).filter((it) => it.startsWith('worker.'));
    expect(told).toEqual(['worker.draining', 'worker.drained']);
    model.submit('worker.drain', { worker, draining: false });
    expect(model.told().at(-1)).toBe('worker.undrained');
  });

  test('what a removed worker held is offered to others', () => {
    const { model, worker, attempts } = withAttempts(1);
    model.start(at(attempts, 0));
    model.submit('worker.remove', { worker });
    expect(model.world.row('workers', worker)).toBeNull();
    expect(model.attempt(at(attempts, 0).id).status).toBe('lost');
    expect(model.told().at(-1)).toBe('worker.removed');
    const other = model.worker('other');
    expect(model.dispatch(other)).toHaveLength(1);
    expect(faultsOf(model.world)).toEqual([]);
  });
});
