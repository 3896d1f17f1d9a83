import { isOpenAttempt, isTerminalTask, taskCreate, type TaskSpecInput } from '@baton/contract';
import type { AttemptRow } from '../rows.ts';
import type { Model } from './model.ts';

/** One random step: what to do, and numbers that choose with whom. */
export interface Step {
  readonly what: keyof typeof STEPS;
  readonly a: number;
  readonly b: number;
}

function pick<T>(items: readonly T[], number: number): T | undefined {
  return items.length === 0 ? undefined : items[number % items.length];
}

const KINDS: readonly TaskSpecInput[] = [
  {},
  {},
  {},
  { kind: 'command', spec: 'true' },
  { kind: 'join' },
  { kind: 'human', spec: 'Which?' },
  { kind: 'human', spec: 'Which?', timeouts: { approval: 60 } },
  { approval: { dispatch: true } },
  { approval: { dispatch: true }, timeouts: { approval: 30 } },
  { dispatch: 'manual' },
  { retry: { max_attempts: 3, backoff_seconds: 5 } },
  { retry: { max_attempts: 2, backoff_seconds: 0 } },
  { timeouts: { run: 40, start: 20, queue: 50 } },
  { kind: 'verify' },
  { kind: 'integrate' },
  { outputs: [{ key: 'x', schema: { type: 'string' } }] },
];
const EDGES = ['->', '->', '->', '-done->', '-failure->', '-related->', '-gate->', '-input:x->'];

/** A graph over up to 8 tasks; edges go forward, so that it has no cycle. */
function makeRun(model: Model, a: number, b: number): void {
  let seed = a * 65_537 + b + 1;
  const next = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const size = 1 + next(8);
  const tasks: Record<string, TaskSpecInput> = {};
  for (let at = 0; at < size; at++) tasks[`t${at}`] = KINDS[next(KINDS.length)] ?? {};
  const edges: string[] = [];
  for (let count = next(size * 2); count > 0 && size > 1; count--) {
    const from = next(size - 1);
    const to = from + 1 + next(size - 1 - from);
    const arrow = EDGES[next(EDGES.length)] ?? '->';
    const upstream = tasks[`t${from}`];
    const isGate = arrow === '-gate->' && upstream?.kind !== 'verify';
    const isInput = arrow === '-input:x->' && upstream?.outputs === undefined;
    edges.push(`t${from} ${isGate || isInput ? '->' : arrow} t${to}`);
  }
  const policy = next(6) === 0 ? { on_task_failure: 'fail_run' as const } : {};
  model.graph(tasks, edges, { policy, deliver: next(2) === 0 ? 'branch' : 'none' });
}

/** Attempts whose workers may write for them. */
export const openAttempts = (model: Model): AttemptRow[] =>
  model.world.all('attempts').filter((it) => isOpenAttempt(it.status));
const reporting = (model: Model): AttemptRow[] =>
  model.world.all('attempts').filter((it) => isOpenAttempt(it.status) || it.status === 'stopping');

/** Ends an attempt in one of many ways, chosen by a number; 1 is plain success. */
export function complete(model: Model, attempt: AttemptRow, b: number): void {
  const status = (['success', 'success', 'partial', 'failed'] as const)[b % 4] ?? 'success';
  const commit = { repo: 'r', base: 'aaa', commit: b % 3 === 0 ? 'bbb' : 'aaa' };
  const declares = (model.world.row('taskSpecs', attempt.taskId)?.spec.outputs.length ?? 0) > 0;
  model.decide('attempt.complete', {
    ...model.by(attempt),
    body: {
      epoch: attempt.epoch,
      result: {
        status,
        summary: `said ${b}`,
        ...(b % 2 === 0 ? { commit } : {}),
        ...(declares ? { contracts: { x: 'data' } } : {}),
      },
      ...(b % 5 === 0
        ? {
            usage: {
              input_tokens: 1,
              output_tokens: 1,
              cache_read_tokens: 0,
              cache_write_tokens: 0,
              usd: '0.25',
            },
          }
        : {}),
    },
  });
}

const FAILURES = [
  'agent_error',
  'lost',
  'timeout',
  'workspace',
  'rate_limited',
  'auth',
  'internal',
] as const;

/** Every command there is, put to whatever is there. Refusals are fine; broken states are not. */
export const STEPS = {
  run: makeRun,
  dispatch: (model: Model) => {
    model.dispatch();
  },
  start: (model: Model, a: number) => {
    const attempt = pick(openAttempts(model), a);
    if (attempt !== undefined) {
      model.decide('attempt.start', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, bases: { 'r@main': 'aaa' } },
      });
    }
  },
  output: (model: Model, a: number, b: number) => {
    const attempt = pick(openAttempts(model), a);
    if (attempt !== undefined) {
      model.decide('attempt.output', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, key: 'x', data: b % 4 === 0 ? b : `v${b % 3}` },
      });
    }
  },
  complete: (model: Model, a: number, b: number) => {
    const attempt = pick(reporting(model), a);
    if (attempt !== undefined) complete(model, attempt, b);
  },
  completeAgain: (model: Model, a: number, b: number) => {
    const attempt = pick(model.world.all('attempts'), a);
    if (attempt !== undefined) complete(model, attempt, b);
  },
  fail: (model: Model, a: number, b: number) => {
    const attempt = pick(reporting(model), a);
    if (attempt === undefined) return;
    model.decide('attempt.fail', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        reason: 'broke',
        failure_class: pick(FAILURES, b) ?? 'agent_error',
      },
    });
  },
  release: (model: Model, a: number) => {
    const attempt = pick(reporting(model), a);
    if (attempt !== undefined)
      model.decide('attempt.release', { ...model.by(attempt), body: { epoch: attempt.epoch } });
  },
  staleWrite: (model: Model, a: number) => {
    const attempt = pick(model.world.all('attempts'), a);
    if (attempt === undefined) return;
    const decision = model.decide('attempt.progress', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch - 1, progress: { text: 'late' } },
    });
    if (decision.kind !== 'refused') throw new Error('an old epoch was let through');
  },
  progress: (model: Model, a: number, b: number) => {
    const attempt = pick(openAttempts(model), a);
    if (attempt !== undefined) {
      model.decide('attempt.progress', {
        ...model.by(attempt),
        body: { epoch: attempt.epoch, progress: { text: `at ${b}` } },
      });
    }
  },
  ask: (model: Model, a: number, b: number) => {
    const attempt = pick(openAttempts(model), a);
    if (attempt === undefined) return;
    model.decide('attempt.checkpoint', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        kind: 'question',
        question: 'Which way?',
        context: null,
        options: ['left', 'right'],
        answer_by: 'human',
        resume: 'live',
        client_id: `c${b % 3}`,
        ...(b % 2 === 0 ? { default: 'left', timeout_seconds: 15 } : {}),
        ...(b % 7 === 0 ? { on_timeout: 'fail' as const, timeout_seconds: 15 } : {}),
      },
    });
  },
  askTask: (model: Model, a: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task === undefined) return;
    model.decide('checkpoint.open', {
      task: task.id,
      question: 'Really?',
      options: ['yes'],
      defaultOption: 'yes',
      timeoutSeconds: 20,
    });
  },
  resolve: (model: Model, a: number, b: number) => {
    const checkpoint = pick(model.world.all('checkpoints'), a);
    if (checkpoint === undefined) return;
    const option = pick(checkpoint.options, b);
    model.decide('checkpoint.resolve', {
      checkpoint: checkpoint.id,
      body: option === undefined ? { text: 'so' } : { option },
      via: 'api',
    });
  },
  decideTask: (model: Model, a: number, b: number) => {
    const asked = model.world.all('tasks').filter((it) => it.checkpointId !== null);
    const task = pick(b % 5 === 0 ? model.world.all('tasks') : asked, a);
    if (task === undefined) return;
    model.decide('task.decide', {
      task: task.id,
      verb: b % 3 === 0 ? 'reject' : 'approve',
      body: {},
      via: 'cli',
    });
  },
  assign: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task === undefined) return;
    model.decide('task.assign', {
      task: task.id,
      worker: pick(['w1', 'w2', 'nobody', null], b) ?? null,
    });
  },
  cancelTask: (model: Model, a: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task !== undefined) model.decide('task.cancel', { task: task.id, reason: null });
  },
  cancelRun: (model: Model, a: number) => {
    const run = pick(model.world.all('runs'), a);
    if (run !== undefined) model.decide('run.cancel', { run: run.id, reason: 'enough' });
  },
  retry: (model: Model, a: number, b: number) => {
    const ended = model.world.all('tasks').filter((it) => isTerminalTask(it.status));
    const task = pick(b % 5 === 0 ? model.world.all('tasks') : ended, a);
    if (task === undefined) return;
    model.decide('task.retry', {
      task: task.id,
      reason: 'again',
      downstream: b % 2 === 0 ? 'keep' : 'reset',
    });
  },
  addTask: (model: Model, a: number, b: number) => {
    const upstream = pick(model.world.all('tasks'), a);
    const dependsOn = upstream === undefined || b % 3 === 0 ? [] : [upstream.id];
    const spec = pick(KINDS, b) ?? {};
    const body = taskCreate.parse({ ...spec, outputs: [], depends_on: dependsOn });
    model.decide('task.create', { body });
  },
  addEdge: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    const upstream = pick(model.world.all('tasks'), b);
    if (task === undefined || upstream === undefined) return;
    const on = (['success', 'done', 'failure'] as const)[b % 3] ?? 'success';
    model.decide('dependency.add', {
      task: task.id,
      body: { upstream: upstream.id, type: 'blocks', on },
    });
  },
  removeEdge: (model: Model, a: number) => {
    const edge = pick(model.world.all('dependencies'), a);
    if (edge !== undefined) {
      model.decide('dependency.remove', { task: edge.downstreamId, dependency: edge.id });
    }
  },
  delivered: (model: Model, a: number, b: number) => {
    const run = pick(
      model.world.all('runs').filter((it) => it.deliveryOrder !== null),
      a,
    );
    if (run?.deliveryWorkerId === undefined || run.deliveryWorkerId === null) return;
    model.decide('run.delivered', {
      worker: run.deliveryWorkerId,
      run: run.id,
      delivery: b % 3 === 0 ? { state: 'refused', detail: 'no' } : { state: 'delivered' },
    });
  },
  hello: (model: Model, a: number, b: number) => {
    const worker = pick(model.world.all('workers'), a);
    if (worker === undefined) return;
    const held = model.world
      .list('openAttemptsOfWorker', worker.id)
      .filter((_, at) => (b >> at) % 2 === 0);
    model.decide('worker.hello', {
      worker: worker.id,
      hello: {
        type: 'hello',
        incarnation: `i${b}`,
        version: '1',
        slots: worker.slots,
        labels: {},
        capabilities: worker.capabilities,
        draining: false,
        attempts: held.map((it) => ({ id: it.id, epoch: it.epoch, ended: false })),
      },
    });
  },
  beat: (model: Model, a: number, b: number) => {
    const worker = pick(model.world.all('workers'), a);
    if (worker === undefined) return;
    const held = model.world
      .list('openAttemptsOfWorker', worker.id)
      .filter((_, at) => (b >> at) % 2 === 0);
    model.decide('worker.heartbeat', {
      worker: worker.id,
      beat: {
        attempts: held.map((it) => ({
          id: it.id,
          epoch: it.epoch,
          progress: { text: `b${b % 2}` },
        })),
      },
    });
  },
  gone: (model: Model, a: number) => {
    const worker = pick(model.world.all('workers'), a);
    if (worker?.incarnation === undefined || worker.incarnation === null) return;
    model.decide('worker.gone', { worker: worker.id, incarnation: worker.incarnation });
  },
  sweep: (model: Model, a: number) => {
    const worker = pick(model.world.all('workers'), a);
    if (worker !== undefined) model.decide('worker.sweep', { worker: worker.id });
  },
  drain: (model: Model, a: number, b: number) => {
    const worker = pick(model.world.all('workers'), a);
    if (worker !== undefined)
      model.decide('worker.drain', { worker: worker.id, draining: b % 2 === 0 });
  },
  expire: (model: Model, a: number) => {
    const attempt = pick(openAttempts(model), a);
    if (attempt === undefined) return;
    if (a % 2 === 0) model.nowMs = Math.max(model.nowMs, attempt.leaseUntilMs);
    model.decide('lease.expire', { attempt: attempt.id, leaseUntilMs: attempt.leaseUntilMs });
  },
  grace: (model: Model) => {
    model.decide('lease.grace', { attempts: openAttempts(model).map((it) => it.id) });
  },
  time: (model: Model, a: number) => {
    model.advance(a % 100);
  },
} satisfies Record<string, (model: Model, a: number, b: number) => void>;
