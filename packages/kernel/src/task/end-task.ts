import { ID_PREFIXES, isTerminalTask, type FailureClass, type RunPolicy } from '@baton/contract';
import { stopOpenAttempt } from '../attempt/close-attempt.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import { countFailure } from '../delegation/chain.ts';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { edgesOutReader } from '../graph/edges-out.ts';
import { list, lists, rows } from '../need.ts';
import type { TaskRow } from '../rows.ts';
import { askForReplan } from '../run/replan.ts';
import { dropTimers, QUEUE_TIMERS } from '../timer.ts';
import { isCurrent } from '../verification/verification-state.ts';
import { changeTask, moveTask } from './change-task.ts';

/**
 * Fails a task for good, in this generation, and carries that on to what depends on it. What the run
 * does about it says its policy, or `asked`.
 */
export function failTask(
  draft: Draft,
  id: string,
  failureClass: FailureClass,
  reason: string,
  asked: RunPolicy['on_task_failure'] | null = null,
): void {
  const task = leaveLife(draft, id, failureClass, reason);
  moveTask(draft, id, 'fail', 'failed', { failureClass, reason, retryAtMs: null });
  draft.event(
    'task.failed',
    { run: task.runId, task: id },
    { failure_class: failureClass, reason },
  );
  if (task.verifies !== null) {
    failJudged(draft, task, reason);
    return;
  }
  countFailure(draft, task);
  const run = draft.get('runs', task.runId);
  if (run.reason === null) draft.put('runs', { ...run, reason: `task_failed:${task.key}` });
  cascade(draft, [id]);
  const answer = asked ?? run.policy.on_task_failure;
  if (answer === 'replan') askForReplan(draft, draft.get('tasks', id));
  if (answer === 'fail_run') {
    draft.load([list('tasksOfRun', run.id)]);
    const others = draft.list('tasksOfRun', run.id).filter((it) => !isTerminalTask(it.status));
    cancelTasks(
      draft,
      others.map((it) => it.id),
      () => `run_failed:${task.key}`,
    );
  }
}

/** A check that could not be done at all is no verdict, and what it checked cannot go on. */
function failJudged(draft: Draft, check: TaskRow, reason: string): void {
  if (check.verifies === null) return;
  draft.load(rows('taskSpecs', [check.verifies.task]));
  const judged = draft.get('tasks', check.verifies.task);
  if (!isCurrent(check, judged)) return;
  failTask(draft, judged.id, 'internal', `its check could not be done: ${reason}`);
}

/** Ends the check of a result that counts no more. A late verdict on it is refused by its epoch. */
export function dropCheck(draft: Draft, task: TaskRow, reason: string): void {
  const { verification } = task;
  if (verification === null || verification.by === null) return;
  changeTask(draft, task.id, { verification: { ...verification, by: null } });
  if (!verification.by.startsWith(`${ID_PREFIXES.task}_`)) return;
  loadLives(draft, [verification.by]);
  cancelOne(draft, verification.by, `not needed: ${reason}`);
  draft.event(
    'verification.dropped',
    { run: task.runId, task: task.id, attempt: verification.attempt },
    {
      check: verification.check,
      by: verification.by,
      attempt: verification.attempt,
      commit: verification.commit,
      reason,
    },
  );
}

/**
 * Cancels tasks that have not ended, and carries that on to what depends on them. What a cancelled check
 * was to judge cannot go on, unless it is cancelled as well.
 */
export function cancelTasks(
  draft: Draft,
  ids: readonly string[],
  reasonOf: (task: TaskRow) => string,
): void {
  loadLives(draft, ids);
  const cancelled = ids.filter((id) => cancelOne(draft, id, reasonOf(draft.get('tasks', id))));
  cascade(draft, cancelled);
  for (const id of cancelled) {
    const task = draft.get('tasks', id);
    failJudged(draft, task, task.reason ?? 'cancelled');
  }
}

/** What depends on a task, over edges that ask for its success, and has not ended; the task first. */
export function downstreamOf(draft: Draft, id: string): string[] {
  const edgesOut = edgesOutReader(draft);
  const found = new Set([id]);
  let level = [id];
  while (level.length > 0) {
    const edges = edgesOut(level).filter((edge) => isRequired(edge) && edge.rule === 'success');
    level = [];
    for (const { downstreamId } of edges) {
      const isOpen = !isTerminalTask(draft.get('tasks', downstreamId).status);
      if (!isOpen || found.has(downstreamId)) continue;
      found.add(downstreamId);
      level.push(downstreamId);
    }
  }
  return [...found];
}

function cancelOne(draft: Draft, id: string, reason: string): boolean {
  if (isTerminalTask(draft.get('tasks', id).status)) return false;
  const task = leaveLife(draft, id, 'cancelled', reason);
  moveTask(draft, id, 'cancel', 'cancelled', { reason, retryAtMs: null });
  draft.event('task.cancelled', { run: task.runId, task: id }, { reason });
  return true;
}

/** Ends what a task holds while it lives: its attempt, its checkpoint, its timers. */
export function leaveLife(
  draft: Draft,
  id: string,
  failureClass: FailureClass,
  reason: string,
): TaskRow {
  const task = draft.get('tasks', id);
  if (holdsAttempt(task)) stopOpenAttempt(draft, task.attemptId, failureClass, reason);
  dropCheck(draft, task, reason);
  cancelCheckpointOf(draft, task, reason);
  const isQueued = task.status === 'ready' || task.retryAtMs !== null;
  if (isQueued && mayHaveTimers(draft, task)) {
    dropTimers(draft, id, QUEUE_TIMERS);
  }
  return task;
}

/** Loads at once what ends with the lives of many tasks. */
export function loadLives(draft: Draft, ids: readonly string[]): void {
  draft.load([...rows('tasks', ids), ...rows('taskSpecs', ids)]);
  const tasks = ids.map((id) => draft.get('tasks', id));
  draft.load([
    ...rows(
      'attempts',
      tasks.filter(holdsAttempt).map((it) => it.attemptId),
    ),
    ...rows(
      'ready',
      tasks.filter((it) => it.status === 'ready' || holdsAttempt(it)).map((it) => it.id),
    ),
    ...rows(
      'checkpoints',
      tasks.map((it) => it.checkpointId),
    ),
    ...lists(
      'timersOfTask',
      tasks.filter((it) => mayHaveTimers(draft, it)).map((it) => it.id),
    ),
  ]);
}

function holdsAttempt(task: TaskRow): boolean {
  return task.status === 'running' || task.status === 'waiting';
}

function mayHaveTimers(draft: Draft, task: TaskRow): boolean {
  const { timeouts } = draft.get('taskSpecs', task.id).spec;
  return (
    task.retryAtMs !== null ||
    task.checkpointId !== null ||
    task.continueAttemptId !== null ||
    Object.keys(timeouts).length > 0
  );
}
