import {
  isOpenAttempt,
  isTerminalTask,
  taskCreate,
  type TaskSpecInput,
  taskCheckpointOpen,
  runCheckpointOpen,
  runReplan,
} from '@baton/contract';
import type { AttemptRow } from '../rows.ts';
import { PROJECT, type Model } from './model.ts';
import { RARE_STEPS } from './rare-steps.ts';

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
  { approval: { plan: true, dispatch: false } },
  { retry: { max_attempts: 3, backoff_seconds: 5 } },
  { retry: { max_attempts: 2, backoff_seconds: 0 } },
  { timeouts: { run: 40, start: 20, queue: 50 } },
  { timeouts: { idle: 30 } },
  { verification: { checks: { commands: ['true'] }, max_retries: 1 } },
  { verification: { checks: { judge: {}, person: true }, on_reject: 'ask' } },
  {
    outputs: [{ key: 'x', required: false }],
    verification: { checks: { outputs: ['x'] }, on_reject: 'replan' },
  },
  { concurrency: ['db'] },
  { budgets: { usd: '0.5' } },
  { concurrency: ['db'], workspace: { repo: 'r' }, kind: 'command', spec: 'true' },
  { kind: 'verify' },
  { kind: 'integrate' },
  { outputs: [{ key: 'x', schema: { type: 'string' } }] },
  { needs: { engine: 'claude', fallback_engine: 'codex' } },
  { needs: { worker: 'w2' }, timeouts: { queue: 45 } },
  { workspace: { repo: 'r', on_retry: 'continue' }, retry: { max_attempts: 2 } },
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
    const isGate = arrow === '-gate->' && (upstream?.kind === 'human' || upstream?.kind === 'join');
    const isInput = arrow === '-input:x->' && upstream?.outputs === undefined;
    edges.push(`t${from} ${isGate || isInput ? '->' : arrow} t${to}`);
  }
  const answers = ['fail_run', 'replan', 'replan'] as const;
  const answer = answers[next(9)];
  const asks = ([{}, {}, { require_dispatch_approval: 'always' }] as const)[next(3)];
  const limits = next(4) === 0 ? { limits: { replans: 1, depth: 1, tasks_per_run: 6 } } : {};
  const policy = {
    ...(answer === undefined ? {} : { on_task_failure: answer }),
    ...asks,
    ...limits,
  };
  const hasRepo = Object.values(tasks).some((it) => it.workspace?.repo !== undefined);
  const deliver = (['branch', hasRepo ? 'merge' : 'branch', 'none'] as const)[next(3)] ?? 'none';
  model.graph(tasks, edges, { policy, deliver });
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
  const cold = model.world.row('taskSpecs', attempt.taskId);
  const declares = (cold?.spec.outputs.length ?? 0) > 0;
  // An approval counts for the life in which it was given.
  const isApproved =
    cold?.plan?.state === 'approved' && cold.plan.generation === attempt.generation;
  if (cold?.spec.approval?.plan === true && !isApproved) {
    const body = { epoch: attempt.epoch, plan: 'first this', resume: 'live' as const };
    model.decide('attempt.start', { ...model.by(attempt), body: { epoch: attempt.epoch } });
    model.decide('attempt.plan', { ...model.by(attempt), body });
  }
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
  'environment',
  'contract_violation',
  'budget',
] as const;

/** Every command there is, put to whatever is there. Refusals are fine; broken states are not. */
export const STEPS = {
  ...RARE_STEPS,
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
  failCheck: (model: Model, a: number, b: number) => {
    const checks = openAttempts(model).filter(
      (it) => model.world.row('tasks', it.taskId)?.verifies?.check === 'commands',
    );
    const attempt = pick(checks, a);
    if (attempt === undefined) return;
    model.decide('attempt.fail', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        reason: `exit code ${b}`,
        failure_class: 'agent_error',
        exit_code: b % 4 === 0 ? 137 : 1,
      },
    });
  },
  replan: (model: Model, a: number, b: number) => {
    const run = pick(model.world.all('runs'), a);
    if (run === undefined) return;
    const tasks = model.world.list('tasksOfRun', run.id);
    const upstream = pick(tasks, b);
    const key = `n${run.planVersion}-${a}`;
    model.decide('run.replan', {
      run: run.id,
      body: runReplan.parse({
        plan: {
          tasks: [{ key, ...pick(KINDS, a + b) }, { key: `${key}-2` }],
          dependencies: [
            { upstream: key, downstream: `${key}-2` },
            ...(upstream === undefined || b % 5 !== 0
              ? []
              : [{ upstream: `${key}-2`, downstream: upstream.key }]),
            ...(upstream === undefined || b % 3 === 0
              ? []
              : [
                  { upstream: upstream.key, downstream: key, on: b % 2 === 0 ? 'done' : 'success' },
                ]),
          ],
        },
        plan_version: run.planVersion + (b % 7 === 0 ? 1 : 0),
        ...(b % 4 === 0
          ? { supersede: tasks.filter((_, at) => ((a >> at) & 1) === 1).map((it) => it.key) }
          : {}),
      }),
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
        resume: (['live', 'live', 'held', 'new_attempt'] as const)[a % 4] ?? 'live',
        client_id: `c${b % 3}`,
        ...(b % 2 === 0 ? { default: 'left', timeout_seconds: 15 } : {}),
        ...(b % 7 === 0 ? { on_timeout: 'fail' as const, timeout_seconds: 15 } : {}),
      },
    });
  },
  askTask: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task === undefined) return;
    model.decide('checkpoint.open', {
      task: task.id,
      body: taskCheckpointOpen.parse({
        question: 'Really?',
        options: ['yes'],
        default: 'yes',
        timeout_seconds: 20,
        resume: (['live', 'held', 'new_attempt'] as const)[b % 3] ?? 'live',
      }),
    });
  },
  askRun: (model: Model, a: number, b: number) => {
    const run = pick(model.world.all('runs'), a);
    if (run === undefined) return;
    model.decide('run.checkpoint', {
      run: run.id,
      body: runCheckpointOpen.parse({
        question: 'Go on?',
        options: ['yes', 'no'],
        ...(b % 2 === 0 ? { timeout_seconds: 20 } : {}),
        ...(b % 4 === 0 ? { default: 'no' } : {}),
        ...(b % 6 === 0 ? { on_timeout: 'fail' } : {}),
      }),
    });
  },
  plan: (model: Model, a: number, b: number) => {
    const attempt = pick(openAttempts(model), a);
    if (attempt === undefined) return;
    model.decide('attempt.plan', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        plan: `first ${b}`,
        resume: (['live', 'held', 'new_attempt'] as const)[b % 3] ?? 'live',
        client_id: `p${b % 5}`,
      },
    });
  },
  updateTask: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task === undefined) return;
    const body = [
      { priority: 'high' as const },
      { spec: `other ${b}` },
      { timeouts: { queue: 30 } },
      { timeouts: { run: 25 }, priority: 'low' as const },
      { timeouts: {} },
    ][b % 5];
    if (body !== undefined) model.decide('task.update', { task: task.id, body });
  },
  message: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task !== undefined) model.decide('task.message', { task: task.id, text: `say ${b}` });
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
  pauseTask: (model: Model, a: number, b: number) => {
    const open = model.world.all('tasks').filter((it) => !isTerminalTask(it.status));
    const task = pick(b % 7 === 0 ? model.world.all('tasks') : open, a);
    if (task !== undefined) model.decide('task.pause', { task: task.id, reason: null });
  },
  resumeTask: (model: Model, a: number, b: number) => {
    const paused = model.world.all('tasks').filter((it) => it.status === 'paused');
    const task = pick(b % 7 === 0 ? model.world.all('tasks') : paused, a);
    if (task !== undefined) model.decide('task.resume', { task: task.id });
  },
  pauseRun: (model: Model, a: number) => {
    const run = pick(model.world.all('runs'), a);
    if (run !== undefined) model.decide('run.pause', { run: run.id, reason: null });
  },
  resumeRun: (model: Model, a: number, b: number) => {
    const paused = model.world.all('runs').filter((it) => it.status === 'paused');
    const run = pick(b % 7 === 0 ? model.world.all('runs') : paused, a);
    if (run !== undefined) model.decide('run.resume', { run: run.id });
  },
  relaunch: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task === undefined) return;
    model.decide('task.relaunch', {
      task: task.id,
      reason: 'anew',
      downstream: b % 2 === 0 ? 'keep' : 'reset',
    });
  },
  rerunTask: (model: Model, a: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task !== undefined) model.decide('task.rerun', { task: task.id, reason: null });
  },
  rerunRun: (model: Model, a: number) => {
    const run = pick(model.world.all('runs'), a);
    if (run !== undefined) model.decide('run.rerun', { run: run.id, reason: null });
  },
  review: (model: Model, a: number, b: number) => {
    const done = model.world
      .all('tasks')
      .filter((it) => it.status === 'completed' || it.status === 'failed');
    const gated = done.filter((it) =>
      model.world.list('edgesOut', it.id).some((edge) => edge.type === 'gate'),
    );
    const task = pick(b % 3 === 0 && gated.length > 0 ? gated : done, a);
    if (task === undefined) return;
    model.decide('task.review', {
      task: task.id,
      action: pick(['approve', 'reject', 'request_changes', 'reset'], b) ?? 'approve',
      note: b % 2 === 0 ? 'see here' : null,
    });
  },
  deleteTask: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task === undefined) return;
    if (b % 2 === 0) model.decide('task.delete', { task: task.id, reason: null });
    else model.decide('task.purge', { task: task.id });
  },
  deleteRun: (model: Model, a: number, b: number) => {
    const run = pick(model.world.all('runs'), a);
    if (run === undefined) return;
    if (b % 2 === 0) model.decide('run.delete', { run: run.id, reason: null });
    else model.decide('run.purge', { run: run.id });
  },
  adopt: (model: Model, a: number, b: number) => {
    const late = model.world.all('attempts').filter((it) => it.orphanResult !== null);
    const attempt = pick(b % 7 === 0 ? model.world.all('attempts') : late, a);
    if (attempt !== undefined) model.decide('attempt.adopt', { attempt: attempt.id, reason: null });
  },
  addTask: (model: Model, a: number, b: number) => {
    const upstream = pick(model.world.all('tasks'), a);
    const dependsOn = upstream === undefined || b % 3 === 0 ? [] : [upstream.id];
    const spec = pick(KINDS, b) ?? {};
    const body = taskCreate.parse({ ...spec, outputs: [], depends_on: dependsOn });
    model.decide('task.create', { body });
  },
  spawn: (model: Model, a: number, b: number) => {
    const attempt = pick(openAttempts(model), a);
    if (attempt === undefined) return;
    const siblings = model.world.list('childrenOfTask', attempt.taskId);
    const dependsOn = b % 4 === 0 ? (pick(siblings, b)?.taskId ?? attempt.taskId) : undefined;
    const body = taskCreate.parse({
      ...(b % 3 === 0 ? { key: `child${b % 2}` } : {}),
      spec: `part ${b % 3}`,
      ...(b % 7 === 0 ? { id: `own-${b % 5}` } : {}),
      ...(b % 5 === 0 ? { force: true } : {}),
      depends_on: dependsOn === undefined ? [] : [dependsOn],
    });
    const spawner = { attempt: attempt.id, worker: attempt.workerId, epoch: attempt.epoch };
    model.decide('task.create', { body, spawner });
  },
  await: (model: Model, a: number, b: number) => {
    const attempt = pick(reporting(model), a);
    if (attempt === undefined) return;
    const children = model.world.list('childrenOfTask', attempt.taskId).map((it) => it.taskId);
    const policy = (['all', 'any', 'quorum'] as const)[b % 3] ?? 'all';
    model.decide('await.open', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        ids: b % 2 === 0 ? [] : children.filter((_, at) => (b >> at) % 2 === 1),
        policy,
        ...(policy === 'quorum' ? { quorum: 1 + (b % 3) } : {}),
        timeout: b % 5 === 0 ? 20 : 3_600,
      },
    });
  },
  cancelAwait: (model: Model, a: number) => {
    const awaiting = model.world.all('tasks').filter((it) => it.reason === 'await');
    const task = pick(awaiting, a);
    if (task !== undefined) model.decide('await.cancel', { task: task.id });
  },
  actions: (model: Model, a: number, b: number) => {
    const attempt = pick(model.world.all('attempts'), a);
    if (attempt === undefined) return;
    model.decide('attempt.actions', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        actions: [
          {
            call: `c${b % 4}`,
            kind: 'tool_call',
            name: 'Write',
            target: '',
            effect: 'local_write',
            status: b % 2 === 0 ? 'started' : 'succeeded',
          },
        ],
      },
    });
  },
  addEdge: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    const upstream = pick(model.world.all('tasks'), b);
    if (task === undefined || upstream === undefined) return;
    const on = (['success', 'done', 'failure'] as const)[b % 3] ?? 'success';
    const type = (['blocks', 'blocks', 'gate', 'related', 'input'] as const)[a % 5] ?? 'blocks';
    model.decide('dependency.add', {
      task: task.id,
      body: {
        upstream: upstream.id,
        type,
        on: type === 'gate' ? 'success' : on,
        ...(type === 'input' ? { contract_key: 'x' } : {}),
      },
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
  budget: (model: Model, a: number, b: number) => {
    const run = pick(model.world.all('runs'), a);
    const task = pick(model.world.all('tasks'), b);
    const usd = b % 4 === 0 ? null : String((1 + (a % 7)) / 4);
    const body = b % 3 === 0 ? { usd, reserve_usd: '0.1' } : { usd };
    if (a % 3 === 0) model.decide('budget.set', { scope: 'project', id: PROJECT, body });
    else if (a % 3 === 1 && run !== undefined) {
      model.decide('budget.set', { scope: 'run', id: run.id, body });
    } else if (task !== undefined) {
      model.decide('budget.set', { scope: 'task', id: task.id, body });
    }
  },
  spend: (model: Model, a: number, b: number) => {
    const attempt = pick(openAttempts(model), a);
    if (attempt === undefined) return;
    const usage = {
      input_tokens: b,
      output_tokens: 1,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      usd: String((b % 20) / 10),
    };
    model.decide('attempt.progress', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, usage },
    });
  },
  limit: (model: Model, a: number, b: number) => {
    const key = pick(['db', 'engine:claude', 'engine:shell', 'repo:r'], a) ?? 'db';
    if (b % 4 === 0) {
      model.decide('limit.remove', { key });
      return;
    }
    const body = {
      max_running: b % 3 === 0 ? null : b % 5,
      rate_per_minute: b % 3 === 0 ? 1 + b : null,
      burst: 1 + (b % 3),
    };
    model.decide('limit.set', { key, body });
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
