import { isOpenAttempt } from '@baton/contract';
import { isoOf } from '../iso-time.ts';
import type { AttemptRow } from '../rows.ts';
import type { Model } from './model.ts';

function pick<T>(items: readonly T[], number: number): T | undefined {
  return items.length === 0 ? undefined : items[number % items.length];
}

function openAttempt(model: Model, a: number): AttemptRow | undefined {
  return pick(
    model.world.all('attempts').filter((it) => isOpenAttempt(it.status)),
    a,
  );
}

/** The machines of a test, such as they join; one that is there stays as it is. */
export function joinFleet(model: Model): void {
  const names = new Set(model.world.all('workers').map((it) => it.name));
  if (!names.has('w1')) model.worker('w1', { slots: 3 });
  if (!names.has('w2')) model.worker('w2', { slots: 2, engines: ['shell', 'codex'] });
}

const POLICIES = [
  { on_task_failure: 'fail_run' },
  { on_task_failure: 'continue' },
  { on_task_failure: 'replan' },
  { require_dispatch_approval: 'always' },
  { require_dispatch_approval: 'never' },
  { limits: { replans: 1, depth: 1, tasks_per_run: 6 } },
  { limits: {} },
] as const;

/** Steps of machines that come and go, of providers that refuse, and of people who change small things. */
export const RARE_STEPS = {
  removeWorker: (model: Model, a: number, b: number) => {
    const worker = pick(model.world.all('workers'), a);
    if (worker === undefined) return;
    model.decide('worker.remove', { worker: worker.id });
    if (b % 3 !== 0) joinFleet(model);
  },
  join: joinFleet,
  leaving: (model: Model, a: number) => {
    const worker = pick(model.world.all('workers'), a);
    if (worker !== undefined) model.decide('worker.leaving', { worker: worker.id });
  },
  rateLimited: (model: Model, a: number, b: number) => {
    const attempt = openAttempt(model, a);
    if (attempt === undefined) return;
    const resets = { retry_at: isoOf(model.nowMs + (b % 90) * 1_000) };
    model.decide('attempt.fail', {
      ...model.by(attempt),
      body: {
        epoch: attempt.epoch,
        reason: '429',
        failure_class: b % 4 === 0 ? 'quota' : 'rate_limited',
        ...(b % 3 === 0 ? {} : resets),
      },
    });
  },
  updateRun: (model: Model, a: number, b: number) => {
    const run = pick(model.world.all('runs'), a);
    const policy = pick(POLICIES, b);
    if (run !== undefined && policy !== undefined) {
      model.decide('run.update', { run: run.id, body: { policy } });
    }
  },
  note: (model: Model, a: number, b: number) => {
    const task = pick(model.world.all('tasks'), a);
    if (task === undefined) return;
    model.decide('task.note', { task: task.id, text: `note ${b}`, urgent: b % 2 === 0 });
    model.decide('task.progress', { task: task.id, percent: b % 100, text: 'so far' });
  },
  artifact: (model: Model, a: number, b: number) => {
    const attempt = pick(model.world.all('attempts'), a);
    if (attempt === undefined) return;
    model.decide('attempt.artifact', {
      ...model.by(attempt),
      stored: b % 2 === 0,
      body: {
        epoch: attempt.epoch,
        name: `f${b % 3}`,
        kind: 'file',
        media_type: 'text/plain',
        size: 1,
        sha256: 'a'.repeat(64),
        meta: {},
      },
    });
  },
  heartbeat: (model: Model, a: number, b: number) => {
    const attempt = pick(model.world.all('attempts'), a);
    if (attempt === undefined) return;
    const body = { epoch: attempt.epoch, ...(b % 2 === 0 ? {} : { progress: { text: 'at it' } }) };
    model.decide('attempt.heartbeat', { ...model.by(attempt), body });
  },
  lookAgain: (model: Model, a: number, b: number) => {
    const run = pick(model.world.all('runs'), a);
    if (run === undefined) return;
    if (b % 2 === 0) model.decide('run.settle', { run: run.id });
    else model.decide('await.check', { run: run.id, await: 'any' });
  },
  cancelChild: (model: Model, a: number) => {
    const handedOn = model.world.all('taskSpecs').filter((it) => it.origin?.startsWith('att_'));
    const child = pick(handedOn, a);
    if (child !== undefined) model.decide('task.cancel', { task: child.taskId, reason: null });
  },
} satisfies Record<string, (model: Model, a: number, b: number) => void>;
