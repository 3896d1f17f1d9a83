import { runCheckpointOpen, taskCheckpointOpen, type CheckpointOpen } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { buildAssignment } from '../assignment.ts';
import type { ArtifactRow, AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

function running(spec: Parameters<Model['graph']>[0][string] = {}) {
  const model = new Model();
  const worker = model.worker('w');
  const run = model.graph({ a: spec });
  const attempt = next(model);
  return { model, run, worker, attempt };
}

function next(model: Model, ...workers: string[]): AttemptRow {
  const [attempt] = model.dispatch(...workers);
  if (attempt === undefined) throw new Error('nothing was handed out');
  model.start(attempt);
  return model.attempt(attempt.id);
}

function ask(model: Model, attempt: AttemptRow, more: Partial<CheckpointOpen> = {}) {
  return model.submit('attempt.checkpoint', {
    ...model.by(attempt),
    body: {
      epoch: attempt.epoch,
      kind: 'question',
      question: 'JWT or cookies?',
      context: null,
      options: ['jwt', 'cookies'],
      answer_by: 'human',
      resume: 'live',
      ...more,
    },
  });
}

function resolve(model: Model, checkpoint: string, option: string) {
  model.submit('checkpoint.resolve', { checkpoint, body: { option }, via: 'api' });
}

function talk(model: Model, attempt: AttemptRow, conversation: string): void {
  model.submit('attempt.progress', {
    ...model.by(attempt),
    body: { epoch: attempt.epoch, conversation },
  });
}

describe('a question that ends its attempt', () => {
  test('frees the slot once the process has ended, and the next attempt goes on with the answer', () => {
    const { model, run, worker, attempt } = running();
    talk(model, attempt, 'conv-1');
    const { checkpoint = '', yields } = ask(model, attempt, { resume: 'new_attempt' });
    expect(yields).toBe(true);
    expect(model.attempt(attempt.id)).toMatchObject({ status: 'stopping', failureClass: null });
    expect(model.byKey(run, 'a')).toMatchObject({
      status: 'waiting',
      continueAttemptId: attempt.id,
      attemptCount: 0,
    });
    model.fail(attempt, 'cancelled');
    expect(model.attempt(attempt.id).status).toBe('released');
    expect(model.byKey(run, 'a').status).toBe('waiting');
    resolve(model, checkpoint, 'jwt');
    const second = next(model);
    const from = second.manifest['continue'];
    expect(from).toMatchObject({
      attempt: attempt.id,
      worker,
      conversation: 'conv-1',
      wake: { kind: 'answer', question: 'JWT or cookies?', answer: 'jwt', option: 'jwt' },
    });
    expect(model.byKey(run, 'a')).toMatchObject({ continueAttemptId: null, wake: null });
    expect(faultsOf(model.world)).toEqual([]);
    model.complete(second);
    expect(model.runRow(run).status).toBe('completed');
  });

  test('waits for the end of the process when the answer is faster', () => {
    const { model, run, attempt } = running();
    const { checkpoint = '' } = ask(model, attempt, { resume: 'new_attempt' });
    resolve(model, checkpoint, 'jwt');
    expect(model.statuses(run)).toEqual({ a: 'ready (stopping)' });
    expect(model.dispatch()).toEqual([]);
    model.fail(attempt, 'cancelled');
    expect(model.statuses(run)).toEqual({ a: 'ready' });
    expect(next(model).manifest['continue']).toMatchObject({ attempt: attempt.id });
  });

  test('does not wait for a process that never reports', () => {
    const { model, attempt } = running();
    const { checkpoint = '' } = ask(model, attempt, { resume: 'new_attempt' });
    resolve(model, checkpoint, 'jwt');
    model.advance(80);
    expect(model.attempt(attempt.id).status).toBe('released');
    expect(model.dispatch()).toHaveLength(1);
  });

  test('an attempt that never started leaves the answer to the next', () => {
    const { model, attempt } = running();
    const { checkpoint = '' } = ask(model, attempt, { resume: 'new_attempt' });
    model.fail(attempt, 'cancelled');
    resolve(model, checkpoint, 'jwt');
    const [second] = model.dispatch();
    if (second === undefined) throw new Error('nothing was handed out');
    model.submit('attempt.release', { ...model.by(second), body: { epoch: second.epoch } });
    const third = next(model);
    expect(third.manifest['continue']).toEqual(second.manifest['continue']);
  });
});

describe('a held attempt', () => {
  test('takes no slot, keeps its lease, and is gone on with where it was', () => {
    const { model, run, worker, attempt } = running();
    model.worker('other', { slots: 2 });
    const { checkpoint = '' } = ask(model, attempt, { resume: 'held' });
    expect(model.attempt(attempt.id)).toMatchObject({ status: 'parked', parkMode: 'held' });
    const more = model.graph({ b: {} });
    const taken = next(model, worker);
    expect(model.byKey(more, 'b').attemptId).toBe(taken.id);
    model.nowMs += 20_000;
    model.submit('worker.heartbeat', {
      worker,
      beat: { attempts: [attempt, taken].map(({ id, epoch }) => ({ id, epoch })) },
    });
    expect(model.attempt(attempt.id).leaseUntilMs).toBe(model.nowMs + 90_000);
    resolve(model, checkpoint, 'cookies');
    expect(model.attempt(attempt.id)).toMatchObject({ status: 'released', reason: 'resumed' });
    expect(faultsOf(model.world)).toEqual([]);
    // Kept for the worker that has its place, though another one is idle.
    expect(model.dispatch()).toEqual([]);
    model.complete(taken);
    const second = next(model);
    expect(second.workerId).toBe(worker);
    expect(second.manifest['continue']).toMatchObject({ wake: { answer: 'cookies' } });
    expect(faultsOf(model.world)).toEqual([]);
    model.complete(second);
    expect(model.runRow(run).status).toBe('completed');
  });

  test('goes to another worker once its own is offline', () => {
    const { model, run, worker, attempt } = running();
    const other = model.worker('other');
    const { checkpoint = '' } = ask(model, attempt, { resume: 'held' });
    resolve(model, checkpoint, 'jwt');
    expect(model.dispatch(other)).toEqual([]);
    model.submit('worker.gone', { worker, incarnation: 'w-1' });
    model.nowMs += 89_000;
    model.submit('worker.hello', { worker: other, hello: hello(model, other) });
    model.nowMs += 2_000;
    model.submit('worker.sweep', { worker });
    model.advance(0);
    const second = next(model, other);
    expect(second.workerId).toBe(other);
    expect(second.manifest['continue']).toMatchObject({ attempt: attempt.id, worker });
    expect(model.byKey(run, 'a').needsId).toBe(model.byKey(model.graph({ c: {} }), 'c').needsId);
  });

  test('that is lost leaves its task waiting; the answer goes to a new attempt', () => {
    const { model, run, worker, attempt } = running();
    const { checkpoint = '' } = ask(model, attempt, { resume: 'held' });
    const since = model.events.length;
    model.submit('worker.remove', { worker });
    expect(model.attempt(attempt.id).status).toBe('lost');
    expect(model.statuses(run)).toEqual({ a: 'waiting (question)' });
    expect(model.told(since)).toEqual(['attempt.lost a', 'worker.removed']);
    model.worker('fresh');
    resolve(model, checkpoint, 'jwt');
    expect(next(model).manifest['continue']).toMatchObject({ wake: { answer: 'jwt' } });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('that its worker hands back leaves its task waiting', () => {
    const { model, run, attempt } = running();
    ask(model, attempt, { resume: 'held' });
    model.submit('attempt.release', { ...model.by(attempt), body: { epoch: attempt.epoch } });
    expect(model.attempt(attempt.id).status).toBe('released');
    expect(model.statuses(run)).toEqual({ a: 'waiting (question)' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('is stopped when its task is cancelled', () => {
    const { model, run, attempt } = running();
    ask(model, attempt, { resume: 'held' });
    model.submit('task.cancel', { task: model.byKey(run, 'a').id, reason: null });
    expect(model.attempt(attempt.id).status).toBe('stopping');
    expect(faultsOf(model.world)).toEqual([]);
    model.fail(attempt, 'cancelled');
    expect(model.runRow(run).status).toBe('cancelled');
  });
});

describe('what a decision binds', () => {
  test('facts that were shown: a decision on others is refused', () => {
    const model = new Model();
    const run = model.graph({ a: { approval: { dispatch: true, plan: false }, spec: 'Do x.' } });
    const task = model.byKey(run, 'a');
    const shown = model.world.row('checkpoints', task.checkpointId ?? '')?.factsSha256 ?? '';
    model.submit('task.update', { task: task.id, body: { spec: 'Do y.' } });
    const since = model.byKey(run, 'a').checkpointId ?? '';
    expect(since).not.toBe(task.checkpointId);
    expect(model.world.row('checkpoints', task.checkpointId ?? '')?.status).toBe('superseded');
    const decide = (facts: string) => ({
      task: task.id,
      verb: 'answer' as const,
      body: { option: 'approve', facts_sha256: facts },
      via: 'api',
    });
    expect(model.refusal('task.decide', decide(shown)).code).toBe('facts_changed');
    model.submit('task.decide', decide(model.world.row('checkpoints', since)?.factsSha256 ?? ''));
    expect(model.statuses(run)).toEqual({ a: 'ready' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('agents decide only what any may answer, and never their own', () => {
    const { model, attempt } = running();
    const agent = (id: string) => ({ kind: 'agent', id, name: 'planner' }) as const;
    const { checkpoint = '' } = ask(model, attempt, { answer_by: 'human' });
    const said = { checkpoint, body: { option: 'jwt' }, via: 'api' };
    const refused = model.decide('checkpoint.resolve', said, agent('att_x'));
    expect(refused).toMatchObject({ kind: 'refused', refusal: { code: 'forbidden' } });
    resolve(model, checkpoint, 'jwt');
    const again = ask(model, model.attempt(attempt.id), { answer_by: 'any', client_id: '2' });
    const other = { ...said, checkpoint: again.checkpoint ?? '' };
    expect(model.decide('checkpoint.resolve', other, agent(attempt.id)).kind).toBe('refused');
    expect(model.decide('checkpoint.resolve', other, agent('att_x')).kind).toBe('accepted');
  });

  test('permissions and approvals wait for people whatever the agent asks', () => {
    const { model, attempt } = running();
    const { checkpoint = '' } = ask(model, attempt, {
      kind: 'permission',
      options: [],
      answer_by: 'any',
    });
    expect(model.world.row('checkpoints', checkpoint)).toMatchObject({
      options: ['allow', 'deny'],
      freeform: false,
      answerBy: 'human',
    });
  });
});

describe('a plan that needs approval', () => {
  const spec = { approval: { plan: true, dispatch: false } };

  function handIn(model: Model, attempt: AttemptRow, plan: string, more: object = {}) {
    return model.submit('attempt.plan', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, plan, resume: 'live', ...more },
    });
  }

  test('is revised and approved in the same conversation, and kept on the task', () => {
    const { model, run, attempt } = running(spec);
    const task = model.byKey(run, 'a').id;
    const since = model.events.length;
    handIn(model, attempt, 'first');
    expect(model.statuses(run)).toEqual({ a: 'waiting (plan_approval)' });
    const revise = { option: 'revise', reason: 'smaller' };
    model.submit('task.decide', { task, verb: 'answer', body: revise, via: 'api' });
    expect(model.world.row('taskSpecs', task)?.plan).toMatchObject({
      text: 'first',
      state: 'revised',
      feedback: 'smaller',
      revision: 1,
    });
    handIn(model, model.attempt(attempt.id), 'second');
    model.submit('task.decide', { task, verb: 'approve', body: {}, via: 'api' });
    expect(model.told(since).filter((it) => it.startsWith('task.plan'))).toEqual([
      'task.plan_submitted a',
      'task.plan_revised a',
      'task.plan_submitted a',
      'task.plan_approved a',
    ]);
    expect(model.world.row('taskSpecs', task)?.plan).toMatchObject({
      revision: 2,
      state: 'approved',
    });
    expect(model.attempt(attempt.id).status).toBe('running');
    model.submit('attempt.complete', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result: { status: 'success', summary: '' } },
    });
    expect(model.runRow(run).status).toBe('completed');
  });

  test('words alone are feedback; a rejected plan ends the task', () => {
    const { model, run, attempt } = running(spec);
    const task = model.byKey(run, 'a').id;
    handIn(model, attempt, 'first');
    model.submit('task.decide', { task, verb: 'answer', body: { text: 'no tests?' }, via: 'api' });
    expect(model.world.row('taskSpecs', task)?.plan).toMatchObject({ feedback: 'no tests?' });
    handIn(model, model.attempt(attempt.id), 'second');
    model.submit('task.decide', { task, verb: 'reject', body: { reason: 'never' }, via: 'api' });
    expect(model.statuses(run)).toEqual({ a: 'cancelled (never)' });
  });

  test('no result is taken before it is approved', () => {
    const { model, attempt } = running(spec);
    const result = { status: 'success' as const, summary: '' };
    const refused = model.refusal('attempt.complete', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, result },
    });
    expect(refused.code).toBe('contract_violation');
    expect(refused.message).toContain('baton task plan');
  });

  test('an approval counts for one life: a retried task hands in a plan again', () => {
    const { model, run, attempt } = running(spec);
    const task = model.byKey(run, 'a').id;
    handIn(model, attempt, 'first');
    model.submit('task.decide', { task, verb: 'approve', body: {}, via: 'api' });
    model.fail(attempt);
    expect(model.statuses(run)).toEqual({ a: 'failed (it broke)' });
    model.submit('task.retry', { task, reason: 'again', downstream: 'keep' });
    const second = next(model);
    model.start(second);
    const done = {
      ...model.by(second),
      body: { epoch: second.epoch, result: { status: 'success' as const, summary: '' } },
    };
    expect(model.refusal('attempt.complete', done).code).toBe('contract_violation');
    handIn(model, second, 'second');
    model.submit('task.decide', { task, verb: 'approve', body: {}, via: 'api' });
    model.submit('attempt.complete', done);
    expect(model.runRow(run).status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('with a new attempt, the word on it is what that one is told', () => {
    const { model, attempt, run } = running(spec);
    handIn(model, attempt, 'first', { resume: 'new_attempt' });
    model.fail(attempt, 'cancelled');
    const task = model.byKey(run, 'a').id;
    const body = { option: 'revise', reason: 'smaller' };
    model.submit('task.decide', { task, verb: 'answer', body, via: 'api' });
    expect(next(model).manifest['continue']).toMatchObject({
      wake: { kind: 'plan', option: 'revise', reason: 'smaller' },
    });
  });
});

describe('the barrier of a run', () => {
  const barrier = (more: object = {}) =>
    runCheckpointOpen.parse({ question: 'Go on?', options: ['yes', 'no'], ...more });

  test('keeps ready work from being taken while running work goes on', () => {
    const model = new Model();
    model.worker('w', { slots: 3 });
    const run = model.graph({ a: {}, b: {}, c: {} }, ['a -> c']);
    const [first] =
      model.submit('work.dispatch', {
        workers: [{ worker: model.world.all('workers')[0]?.id ?? '', max: 1 }],
      }).claimed ?? [];
    const attempt = model.attempt(first?.attempt ?? '');
    const { checkpoint = '' } = model.submit('run.checkpoint', { run, body: barrier() });
    expect(model.runRow(run)).toMatchObject({ status: 'waiting', barrierId: checkpoint });
    expect(model.dispatch()).toEqual([]);
    model.complete(attempt);
    expect(model.statuses(run)).toEqual({
      a: 'completed',
      b: 'ready (barrier)',
      c: 'ready (barrier)',
    });
    expect(model.dispatch()).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);
    expect(model.refusal('run.checkpoint', { run, body: barrier() }).code).toBe('checkpoint_open');
    resolve(model, checkpoint, 'yes');
    expect(model.runRow(run)).toMatchObject({ status: 'running', barrierId: null });
    expect(model.dispatch()).toHaveLength(2);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('ends with its deadline: by the default, or by failing the run', () => {
    const model = new Model();
    const one = model.graph({ a: {} });
    const two = model.graph({ a: {} });
    const soon = { timeout_seconds: 5 };
    model.submit('run.checkpoint', { run: one, body: barrier({ ...soon, default: 'yes' }) });
    model.submit('run.checkpoint', { run: two, body: barrier({ ...soon, on_timeout: 'fail' }) });
    model.advance(6);
    expect(model.statuses(one)).toEqual({ a: 'ready' });
    expect(model.runRow(one).status).toBe('running');
    expect(model.runRow(two)).toMatchObject({ status: 'failed', reason: 'checkpoint_timed_out' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('holds the end of the run, and goes with its cancelling', () => {
    const { model, run, attempt } = running();
    const { checkpoint = '' } = model.submit('run.checkpoint', { run, body: barrier() });
    model.complete(attempt);
    expect(model.runRow(run).status).toBe('waiting');
    resolve(model, checkpoint, 'yes');
    expect(model.runRow(run).status).toBe('completed');
    const other = model.graph({ a: {} });
    const open = model.submit('run.checkpoint', { run: other, body: barrier() }).checkpoint ?? '';
    model.submit('run.cancel', { run: other, reason: null });
    expect(model.world.row('checkpoints', open)?.status).toBe('cancelled');
    expect(model.runRow(other).status).toBe('cancelled');
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('a task that is changed while it lives', () => {
  test('tells its live agent which fields, and moves in the queue', () => {
    const { model, run, worker, attempt } = running();
    const task = model.byKey(run, 'a').id;
    const since = model.events.length;
    const { delivered } = model.submit('task.update', { task, body: { spec: 'More.' } });
    expect(delivered).toBe(true);
    expect(model.events[since]).toMatchObject({
      type: 'task.updated',
      attemptId: attempt.id,
      data: { worker, fields: ['spec'] },
    });
    const ready = model.byKey(model.graph({ b: { priority: 'low' } }), 'b').id;
    model.submit('task.update', { task: ready, body: { priority: 'critical' } });
    expect(model.world.row('ready', ready)?.priority).toBe(0);
    expect(
      model.submit('task.update', { task: ready, body: { priority: 'critical' } }).already,
    ).toBe(true);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('new timeouts are counted from the claim', () => {
    const { model, run, attempt } = running({ timeouts: { run: 1_000 } });
    model.nowMs += 5_000;
    const task = model.byKey(run, 'a').id;
    model.submit('task.update', { task, body: { timeouts: { run: 20 } } });
    const timers = model.world.list('timersOfTask', task);
    expect(timers.map((it) => [it.kind, it.dueAtMs])).toEqual([
      ['run_timeout', attempt.claimedAtMs + 20_000],
    ]);
  });

  test('keeps what an ended task was asked to do', () => {
    const { model, run, attempt } = running();
    model.complete(attempt);
    const task = model.byKey(run, 'a').id;
    const refused = model.refusal('task.update', { task, body: { spec: 'Other.' } });
    expect(refused.code).toBe('wrong_status');
    model.submit('task.update', { task, body: { title: 'Better name' } });
    expect(model.world.row('taskSpecs', task)?.title).toBe('Better name');
  });

  test('a message reaches a live agent, or waits for the next one', () => {
    const { model, run, attempt } = running();
    const task = model.byKey(run, 'a').id;
    expect(model.submit('task.message', { task, text: 'Hurry.' }).delivered).toBe(true);
    model.complete(attempt);
    expect(model.submit('task.message', { task, text: 'Thanks.' }).delivered).toBe(false);
  });

  test('a person may hold a running task with a question', () => {
    const { model, run, attempt } = running();
    model.submit('checkpoint.open', {
      task: model.byKey(run, 'a').id,
      body: taskCheckpointOpen.parse({ question: 'Wait?', resume: 'held' }),
    });
    expect(model.attempt(attempt.id)).toMatchObject({ status: 'parked', parkMode: 'held' });
  });
});

function hello(model: Model, worker: string) {
  const { capabilities, slots } = model.world.row('workers', worker) ?? {};
  if (capabilities === undefined || slots === undefined) throw new Error('no worker');
  return {
    type: 'hello' as const,
    incarnation: 'again',
    version: '1',
    slots,
    labels: {},
    capabilities,
    draining: false,
    attempts: [],
  };
}

test('an assignment says what it goes on from', () => {
  const { model, run, attempt } = running();
  const { checkpoint = '' } = ask(model, attempt, { resume: 'new_attempt' });
  model.fail(attempt, 'cancelled');
  resolve(model, checkpoint, 'jwt');
  const second = next(model);
  const spec = model.world.row('taskSpecs', second.taskId);
  if (spec === null) throw new Error('no spec');
  const built = buildAssignment({
    attempt: second,
    task: model.byKey(run, 'a'),
    spec,
    run: model.runRow(run),
    edgesIn: [],
    upstreamTasks: [],
    upstreamAttempts: [],
    upstreamOutputs: [],
    upstreamArtifacts: [],
    notes: [],
    saved: [saved('art_2', 2), saved('art_1', 1)],
    previousAttempt: attempt,
  });
  expect(built.continue).toMatchObject({ attempt: attempt.id, wake: { answer: 'jwt' } });
  const meta = { saved: true, head: 'abc' };
  expect(built.saved).toEqual({ attempt: attempt.id, artifact: 'art_2', meta });

  function saved(id: string, createdAtMs: number): ArtifactRow {
    const { taskId, runId, projectId } = attempt;
    const about = { name: 'a.saved.bundle', kind: 'bundle', mediaType: 'x/y', size: 1 };
    const facts = { sha256: 'a'.repeat(64), meta: { saved: true, head: 'abc' } };
    return { id, taskId, runId, projectId, attemptId: attempt.id, ...about, ...facts, createdAtMs };
  }
});
