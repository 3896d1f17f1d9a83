import { isTerminalTask, type FailureClass } from '@baton/contract';
import { stopOpenAttempt } from '../attempt/close-attempt.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { edgesOutReader } from '../graph/edges-out.ts';
import { list, lists, rows } from '../need.ts';
import type { TaskRow } from '../rows.ts';
import { dropTimers, QUEUE_TIMERS } from '../timer.ts';
import { moveTask } from './change-task.ts';

/** Fails a task for good, in this generation, and carries that on to what depends on it. */
export function failTask(
  draft: Draft,
  id: string,
  failureClass: FailureClass,
  reason: string,
): void {
  const task = leaveLife(draft, id, failureClass, reason);
  moveTask(draft, id, 'fail', 'failed', { failureClass, reason, retryAtMs: null });
  draft.event(
    'task.failed',
    { run: task.runId, task: id },
    { failure_class: failureClass, reason },
  );
  const run = draft.get('runs', task.runId);
  if (run.reason === null) draft.put('runs', { ...run, reason: `task_failed:${task.key}` });
  cascade(draft, [id]);
  if (run.policy.on_task_failure === 'fail_run') {
    draft.load([list('tasksOfRun', run.id)]);
    const others = draft.list('tasksOfRun', run.id).filter((it) => !isTerminalTask(it.status));
    cancelTasks(
      draft,
      others.map((it) => it.id),
      () => `run_failed:${task.key}`,
    );
  }
}

/** Cancels tasks that have not ended, and carries that on to what depends on them. */
export function cancelTasks(
  draft: Draft,
  ids: readonly string[],
  reasonOf: (task: TaskRow) => string,
): void {
  loadLives(draft, ids);
  const cancelled = ids.filter((id) => cancelOne(draft, id, reasonOf(draft.get('tasks', id))));
  cascade(draft, cancelled);
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
function leaveLife(draft: Draft, id: string, failureClass: FailureClass, reason: string): TaskRow {
  const task = draft.get('tasks', id);
  if (holdsAttempt(task)) stopOpenAttempt(draft, task.attemptId, failureClass, reason);
  cancelCheckpointOf(draft, task, reason);
  if (task.status === 'ready' && mayHaveTimers(draft, task)) {
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
