import type { Assignment, Json } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { needsIdOf } from '../matching/hard-needs.ts';
import type { AttemptRow, TaskRow, WorkerRow } from '../rows.ts';
import { changeTask, type TaskPatch } from '../task/change-task.ts';
import { holdAnew, putReady } from '../task/make-ready.ts';
import { offerTask } from '../task/offer-task.ts';
import type { TaskInput } from '../task/task-machine.ts';
import { setTimer } from '../timer.ts';
import { aboutAttempt, closeAttempt } from './close-attempt.ts';
import { isHeld } from './slots.ts';

/** What the agent of a continued task is told; `kind` says what follows. */
export type Wake = { readonly kind: 'answer' | 'plan' | 'await' | 'resume' | 'feedback' } & {
  readonly [field: string]: Json;
};

/**
 * Hands a task out again, to be gone on with where its continued attempt stopped: the workspace and the
 * agent's conversation, where the worker still has them. A held attempt ends by it, and its worker is the
 * only one that may take the task while it is there.
 */
export function continueTask(
  draft: Draft,
  id: string,
  input: Extract<TaskInput, 'resume' | 'offer'>,
  wake: Wake | null,
): void {
  changeTask(draft, id, { wake });
  const { continueAttemptId } = draft.get('tasks', id);
  const from = continueAttemptId === null ? null : draft.get('attempts', continueAttemptId);
  const wasHeld = from !== null && isHeld(from);
  if (wasHeld) {
    closeHeld(draft, from, 'release', 'resumed');
    pin(draft, id, from.workerId);
  }
  offerTask(draft, id, input);
  const task = draft.get('tasks', id);
  if (!wasHeld) return;
  if (task.status === 'ready') setLook(draft, task);
  else unpin(draft, task);
}

/** Ends a held attempt: it is not counted, and what it left can be gone on with. */
export function closeHeld(
  draft: Draft,
  attempt: AttemptRow,
  input: 'release' | 'lose',
  reason: string,
  reportSha256?: string,
): void {
  const about = aboutAttempt(attempt);
  const { attemptCount } = draft.get('tasks', attempt.taskId);
  if (input === 'release') {
    const report = reportSha256 === undefined ? {} : { reportSha256 };
    closeAttempt(draft, attempt.id, 'release', 'released', { reason, ...report });
    draft.event('attempt.released', about, { reason, worker: attempt.workerId });
  } else {
    closeAttempt(draft, attempt.id, 'lose', 'lost', { failureClass: 'lost', reason });
    draft.event('attempt.lost', about, { reason });
  }
  changeTask(draft, attempt.taskId, { attemptCount: Math.max(0, attemptCount - 1) });
}

/** What a claim freezes of the attempt that a task goes on from; a conversation is of one engine. */
export function continuationOf(draft: Draft, task: TaskRow, engine: string): Json {
  const from = draft.get('attempts', task.continueAttemptId ?? '');
  return {
    attempt: from.id,
    worker: from.workerId,
    conversation: from.engine === engine ? from.conversation : null,
    wake: task.wake,
  };
}

/** The continuation that an attempt was given at its claim, if it was. */
export function givenContinuation(attempt: AttemptRow): Assignment['continue'] {
  return (attempt.manifest['continue'] as Assignment['continue'] | undefined) ?? null;
}

/** What a claim takes off a task: it is gone on with now, and any worker may have it next time. */
export function endContinuation(draft: Draft, task: TaskRow): TaskPatch {
  const { spec } = draft.get('taskSpecs', task.id);
  return {
    continueAttemptId: null,
    wake: null,
    needsId: needsIdOf(draft, spec, task.assignedWorker),
  };
}

/** An attempt that never started leaves to the next one what it was to go on with. */
export function passOn(attempt: AttemptRow): TaskPatch {
  const given = givenContinuation(attempt);
  if (given === null || attempt.startedAtMs !== null) return {};
  return { continueAttemptId: given.attempt, wake: given.wake };
}

/** Keeps a task for the worker that has its workspace, unless a person has named another one. */
function pin(draft: Draft, id: string, workerId: string): void {
  const task = draft.get('tasks', id);
  const { spec } = draft.get('taskSpecs', id);
  const worker = draft.find('workers', workerId);
  const isNamed = task.assignedWorker !== null || spec.needs.worker !== undefined;
  if (isNamed || worker === null || !isThere(worker)) return;
  changeTask(draft, id, { needsId: needsIdOf(draft, spec, worker.name) });
}

function unpin(draft: Draft, task: TaskRow): TaskRow {
  const { spec } = draft.get('taskSpecs', task.id);
  return changeTask(draft, task.id, { needsId: needsIdOf(draft, spec, task.assignedWorker) });
}

function isThere(worker: WorkerRow): boolean {
  return worker.presence !== 'offline' && !worker.draining && !worker.leaving;
}

function setLook(draft: Draft, task: TaskRow): void {
  setTimer(draft, task, {
    kind: 'continue_timeout',
    dueAtMs: draft.nowMs + draft.context.offlineMs,
    guard: task.generation,
  });
}

/** Is the worker that a ready task is kept for still there? If not, any other may take it. */
export function lookForWorkerOf(draft: Draft, task: TaskRow): void {
  const from = draft.get('attempts', task.continueAttemptId ?? '');
  const worker = draft.find('workers', from.workerId);
  if (worker !== null && isThere(worker)) {
    setLook(draft, task);
    return;
  }
  const freed = unpin(draft, task);
  if (freed.retryAtMs === null) holdAnew(draft, freed);
  else putReady(draft, freed, freed.reason);
}
