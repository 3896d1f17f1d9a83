import { isOpenAttempt } from '@baton/contract';
import { afterFailure } from '../attempt/after-failure.ts';
import { lookForWorkerOf } from '../attempt/continuation.ts';
import { closeStopped, stopAttempt } from '../attempt/close-attempt.ts';
import { isIdle } from '../attempt/idle-timeout.ts';
import { expireCheckpoint } from '../checkpoint/decide-checkpoint.ts';
import { closeDelivery } from '../delivery/deliver-result.ts';
import type { Draft } from '../draft.ts';
import { rows } from '../need.ts';
import type { AttemptRow, TaskRow, TimerKind, TimerRow } from '../rows.ts';
import { planStep } from '../run/plan-steps.ts';
import { changeTask, RATE_LIMITED } from '../task/change-task.ts';
import { offerTask } from '../task/offer-task.ts';
import { failTask } from '../task/end-task.ts';
import { holdAnew } from '../task/make-ready.ts';
import type { Handler } from './handler.ts';

type Fire = (draft: Draft, timer: TimerRow, task: TaskRow, loggedAtMs: number | null) => void;

/** What each kind of timer does. Each looks first whether what it was set for is still so. */
const FIRE: { readonly [K in TimerKind]: Fire } = {
  retry_backoff: endBackoff,
  queue_timeout: (draft, timer, task) => {
    if (task.status !== 'ready' || task.generation !== timer.guard) return;
    failTask(draft, task.id, 'timeout', 'nobody took it in time (timeouts.queue)');
  },
  continue_timeout: (draft, timer, task) => {
    if (task.status !== 'ready' || task.generation !== timer.guard) return;
    if (task.continueAttemptId !== null) lookForWorkerOf(draft, task);
  },
  start_timeout: (draft, timer) => {
    const attempt = attemptOf(draft, timer);
    if (attempt?.status === 'claimed')
      giveUp(draft, attempt, 'timeout', 'did not start in time (timeouts.start)');
  },
  run_timeout: (draft, timer) => {
    const attempt = attemptOf(draft, timer);
    if (attempt !== null && isOpenAttempt(attempt.status)) {
      giveUp(draft, attempt, 'timeout', 'ran for longer than timeouts.run');
    }
  },
  idle_timeout: (draft, timer, task, loggedAtMs) => {
    const attempt = attemptOf(draft, timer);
    if (attempt === null || task.attemptId !== attempt.id) return;
    if (isIdle(draft, attempt, timer.dueAtMs, loggedAtMs)) {
      giveUp(draft, attempt, 'idle_timeout', 'said nothing for longer than timeouts.idle');
    }
  },
  stopping_deadline: (draft, timer) => {
    const attempt = attemptOf(draft, timer);
    if (attempt?.status === 'stopping') closeStopped(draft, attempt.id);
  },
  // Of a run, not of a task: see below.
  plan_step: () => undefined,
  checkpoint_deadline: fireCheckpoint,
  approval_timeout: fireCheckpoint,
  // Every await of a touched run is looked at, those whose time is up among them.
  await_deadline: (draft, timer) => draft.touchRun(timer.runId),
  // An order has one timer, which goes with it; the task may have been opened anew meanwhile.
  delivery_deadline: (draft, timer) => {
    const { deliveryOrder } = draft.get('runs', timer.runId);
    if (deliveryOrder?.task !== timer.taskId) return;
    closeDelivery(draft, timer.runId, {
      state: 'refused',
      commit: deliveryOrder.commit.commit,
      repo: deliveryOrder.commit.repo,
      branch: deliveryOrder.branch,
      detail: 'the worker that holds the commit did not deliver it in 10 minutes',
    });
  },
};

/** A timer is due. It fires once; an outdated one is only taken away. */
export const timerFire: Handler<'timer.fire'> = (draft, command) => {
  const timer = draft.own('timers', command.timer);
  if (timer === null) return { already: true };
  if (timer.dueAtMs > draft.nowMs) return { run: timer.runId, already: true };
  draft.load([
    ...rows('runs', [timer.runId]),
    ...rows('tasks', [timer.taskId]),
    ...rows('taskSpecs', [timer.taskId]),
    ...rows('attempts', [timer.attemptId]),
    ...rows('checkpoints', [timer.checkpointId]),
  ]);
  draft.remove('timers', timer.id);
  const task = timer.taskId === null ? null : draft.find('tasks', timer.taskId);
  if (task !== null) {
    FIRE[timer.kind](draft, timer, task, command.loggedAtMs ?? null);
  } else if (timer.kind === 'checkpoint_deadline') fireCheckpoint(draft, timer);
  else if (timer.kind === 'plan_step') planStep(draft, timer.runId, timer.guard);
  return { run: timer.runId, ...(timer.taskId === null ? {} : { task: timer.taskId }) };
};

function endBackoff(draft: Draft, timer: TimerRow, task: TaskRow): void {
  const isRefused = task.status === 'waiting' && task.reason === RATE_LIMITED;
  if (isRefused && task.generation === timer.guard) {
    changeTask(draft, task.id, { retryAtMs: null });
    offerTask(draft, task.id, 'resume');
    return;
  }
  const isHeld = task.status === 'ready' && task.retryAtMs !== null;
  if (!isHeld || task.generation !== timer.guard) return;
  holdAnew(draft, task);
}

function fireCheckpoint(draft: Draft, timer: TimerRow): void {
  if (timer.checkpointId === null) return;
  const checkpoint = draft.get('checkpoints', timer.checkpointId);
  if (checkpoint.status === 'open') expireCheckpoint(draft, checkpoint);
}

/** The attempt a timer was set for, if it still holds its epoch. */
function attemptOf(draft: Draft, timer: TimerRow): AttemptRow | null {
  if (timer.attemptId === null) return null;
  const attempt = draft.get('attempts', timer.attemptId);
  return attempt.epoch === timer.guard ? attempt : null;
}

/** Ends an attempt that took too long, and tries again if the task's policy says so. */
function giveUp(
  draft: Draft,
  attempt: AttemptRow,
  failureClass: 'timeout' | 'idle_timeout',
  reason: string,
): void {
  stopAttempt(draft, attempt.id, failureClass, reason);
  afterFailure(draft, attempt, failureClass, reason);
}
