import type { Draft } from '../draft.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { takeTurn } from '../matching/queue-order.ts';
import { setTimer } from '../timer.ts';
import { changeTask, moveTask } from './change-task.ts';
import type { TaskInput } from './task-machine.ts';

/** Why a ready task may not be taken yet. */
export type Hold =
  | 'budget'
  | 'backoff'
  | 'rate_limited'
  | 'waiting_for_assignment'
  | 'stopping'
  | 'barrier';

/** Makes a task claimable, or held for a reason, and tells so. */
export function makeReady(
  draft: Draft,
  id: string,
  input: TaskInput,
  hold: { readonly held: Hold; readonly untilMs: number } | null = null,
): TaskRow {
  const { spec } = draft.get('taskSpecs', id);
  const before = draft.get('tasks', id);
  const held = hold?.held ?? holdNow(draft, before, spec.dispatch);
  const task = moveTask(draft, id, input, 'ready', {
    reason: held,
    retryAtMs: hold?.untilMs ?? null,
    readyAtMs: draft.nowMs,
  });
  putReady(draft, task, held);
  draft.event('task.ready', { run: task.runId, task: id }, { reason: held });
  if (hold !== null) {
    setTimer(draft, task, { kind: 'retry_backoff', dueAtMs: hold.untilMs, guard: task.generation });
  }
  if (spec.timeouts.queue !== undefined) {
    setTimer(draft, task, {
      kind: 'queue_timeout',
      // What it may not be taken for yet is no waiting for somebody who takes it.
      dueAtMs: (hold?.untilMs ?? draft.nowMs) + spec.timeouts.queue * 1_000,
      guard: task.generation,
    });
  }
  return task;
}

/**
 * Why a task that is due may not be taken yet: the process that it goes on from has not ended, its run
 * is held for a decision, or nobody was named for it.
 */
export function holdNow(draft: Draft, task: TaskRow, dispatch: 'auto' | 'manual'): Hold | null {
  if (task.continueAttemptId !== null) {
    if (draft.get('attempts', task.continueAttemptId).status === 'stopping') return 'stopping';
  }
  if (draft.get('runs', task.runId).barrierId !== null) return 'barrier';
  return dispatch === 'manual' && task.assignedWorker === null ? 'waiting_for_assignment' : null;
}

/** Lets a ready task that nothing holds back any more be taken; or says what holds it now. */
export function holdAnew(draft: Draft, task: TaskRow): void {
  const held = holdNow(draft, task, draft.get('taskSpecs', task.id).spec.dispatch);
  draft.find('ready', task.id);
  const now = changeTask(draft, task.id, { reason: held, retryAtMs: null });
  putReady(draft, now, held);
  draft.event('task.ready', { run: task.runId, task: task.id }, { reason: held });
}

/** The process of an attempt has ended: a task that was to go on from it may be taken now. */
export function releaseHold(draft: Draft, attempt: AttemptRow): void {
  const task = draft.get('tasks', attempt.taskId);
  const isHeldByIt =
    task.status === 'ready' && task.reason === 'stopping' && task.continueAttemptId === attempt.id;
  if (isHeldByIt) holdAnew(draft, task);
}

/** Puts the queue's row of a ready task; a new place at the end of its priority. */
export function putReady(draft: Draft, task: TaskRow, held: string | null): void {
  const run = draft.get('runs', task.runId);
  draft.put('ready', {
    taskId: task.id,
    runId: task.runId,
    projectId: task.projectId,
    needsId: task.needsId,
    priority: task.priority,
    // What may not be taken yet gets its turn when it may.
    pass: held === null ? takeTurn(draft, run) : 0,
    seq: draft.context.nextSeq(),
    held,
  });
}
