import { isOpenAttempt, isTerminalTask } from '@baton/contract';
import { closeHeld, continueTask, type Wake } from '../attempt/continuation.ts';
import { isHeld } from '../attempt/slots.ts';
import { yieldAttempt } from '../attempt/yield-attempt.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import { AWAITING, openAwaitOf } from '../delegation/awaits.ts';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { judgeBlocked } from '../graph/judge-blocked.ts';
import type { TaskRow } from '../rows.ts';
import { dropTimers, QUEUE_TIMERS } from '../timer.ts';
import { changeTask, moveTask } from './change-task.ts';
import { completeHuman } from './complete-human.ts';
import { dropCheck } from './end-task.ts';
import { makeReady } from './make-ready.ts';
import { openTask, RUN_PAUSED } from './open-task.ts';

/**
 * Suspends a task that has not ended: a queued one leaves the queue, a running agent is stopped and can
 * be gone on with, a question stays open. The rows of `loadLives` must be there.
 */
export function pauseTask(draft: Draft, id: string, reason: string): void {
  const task = draft.get('tasks', id);
  if (task.status === 'paused' || isTerminalTask(task.status)) return;
  if (task.status === 'running' || task.status === 'waiting') suspend(draft, task);
  if (task.status === 'verifying') suspendCheck(draft, task, reason);
  if (task.status === 'ready' || task.retryAtMs !== null) dropTimers(draft, id, QUEUE_TIMERS);
  const { retryAtMs } = task;
  moveTask(draft, id, 'pause', 'paused', { reason, retryAtMs });
  draft.event('task.paused', { run: task.runId, task: id }, { reason });
}

/** What was handed in is gone on with later, by the same agent; it is checked again when it ends anew. */
function suspendCheck(draft: Draft, task: TaskRow, reason: string): void {
  dropCheck(draft, task, reason);
  changeTask(draft, task.id, {
    attemptCount: Math.max(0, task.attemptCount - 1),
    continueAttemptId: task.verification?.attempt ?? null,
    wake: { kind: 'resume' },
  });
}

function suspend(draft: Draft, task: TaskRow): void {
  const attempt = task.attemptId === null ? null : draft.get('attempts', task.attemptId);
  if (attempt === null || !isOpenAttempt(attempt.status)) return;
  if (isHeld(attempt)) closeHeld(draft, attempt, 'release', 'paused');
  else yieldAttempt(draft, attempt, 'ended', 'paused', false);
}

/**
 * Lets a paused task go on where it was, as things are now: an upstream may have been redone, a question
 * answered. What ran goes on in the workspace and conversation that it had, where it can.
 */
export function resumeTask(draft: Draft, id: string): void {
  const task = draft.get('tasks', id);
  if (task.status !== 'paused') return;
  draft.event('task.resumed', { run: task.runId, task: id }, {});
  if (task.pending > 0 || task.pausedFrom === 'blocked') {
    goBackToBlocked(draft, task);
    return;
  }
  if (task.checkpointId !== null) {
    const { kind } = draft.get('checkpoints', task.checkpointId);
    const to = kind === 'dispatch_approval' ? 'awaiting_approval' : 'waiting';
    moveTask(draft, id, 'resume', to, { reason: kind });
    return;
  }
  if (task.pausedFrom === 'waiting' && openAwaitOf(draft, id) !== null) {
    moveTask(draft, id, 'resume', 'waiting', { reason: AWAITING });
    return;
  }
  if (task.kind === 'human') {
    moveTask(draft, id, 'resume', 'waiting', { reason: null });
    completeHuman(draft, draft.get('tasks', id), task.feedback ?? '');
    return;
  }
  if (task.pausedFrom === 'awaiting_approval' && !task.approved) goBackToBlocked(draft, task);
  else goBackToQueue(draft, task);
}

function goBackToQueue(draft: Draft, task: TaskRow): void {
  const { id, retryAtMs } = task;
  if (task.continueAttemptId !== null) {
    continueTask(draft, id, 'resume', (task.wake as Wake | null) ?? { kind: 'resume' });
    return;
  }
  const isHeld = retryAtMs !== null && retryAtMs > draft.nowMs;
  makeReady(draft, id, 'resume', isHeld ? { held: 'backoff', untilMs: retryAtMs } : null);
}

/** From blocked on it takes the way that every task takes. */
function goBackToBlocked(draft: Draft, task: TaskRow): void {
  const { id } = task;
  cancelCheckpointOf(draft, task, 'an upstream is redone');
  moveTask(draft, id, 'resume', 'blocked', { reason: null, retryAtMs: null });
  draft.event('task.blocked', { run: task.runId, task: id }, { reason: null });
  if (task.pending > 0) judgeBlocked(draft, id);
  else if (openTask(draft, id)) cascade(draft, [id]);
}

/** Whether a task is paused because its run is, and not for itself. */
export function isPausedWithRun(task: Pick<TaskRow, 'status' | 'reason'>): boolean {
  return task.status === 'paused' && task.reason === RUN_PAUSED;
}
