import { newBudget } from '../limits/new-budget.ts';
import { isTerminalTask, type TaskStatus } from '@baton/contract';
import type { Draft } from '../draft.ts';
import type { RunRow, TaskRow, TaskSpecRow } from '../rows.ts';
import { withRun, withTask } from '../rows/changed-row.ts';
import { nextTaskStatus, type TaskInput } from './task-machine.ts';

/** Fields of a task that may change without its status changing. */
export type TaskPatch = Partial<Omit<TaskRow, 'id' | 'status' | 'updatedAtMs'>>;

/** A new task, blocked. */
export function insertTask(draft: Draft, task: TaskRow, spec: TaskSpecRow): void {
  draft.create('tasks', task);
  draft.put('taskSpecs', spec);
  const owner = {
    id: task.id,
    projectId: task.projectId,
    scope: 'task',
    runId: task.runId,
  } as const;
  const budget = newBudget(owner, spec.spec.budgets, 0);
  if (budget !== null) draft.create('budgets', budget);
  const run = draft.get('runs', task.runId);
  draft.put('runs', withRun(count(run, null, task), { taskCount: run.taskCount + 1 }));
  draft.touchRun(run.id);
}

/** Changes a task without moving it. */
export function changeTask(draft: Draft, id: string, patch: TaskPatch): TaskRow {
  const before = draft.get('tasks', id);
  return write(draft, before, withTask(before, patch, { updatedAtMs: draft.nowMs }));
}

/**
 * Moves a task to another status, the only way it changes. Keeps what goes with statuses: the ready
 * row, `endedAtMs`, being out of play, and the counters of its run.
 */
export function moveTask(
  draft: Draft,
  id: string,
  input: TaskInput,
  to: TaskStatus,
  patch: TaskPatch = {},
): TaskRow {
  const before = draft.get('tasks', id);
  const status = nextTaskStatus(before.status, input, to);
  if (before.status === 'ready') draft.remove('ready', id);
  const fitting = {
    outOfPlay: false,
    pausedFrom: status === 'paused' ? before.status : null,
    endedAtMs: isTerminalTask(status) ? draft.nowMs : null,
  };
  const after = withTask(before, fitting, patch, { status, updatedAtMs: draft.nowMs });
  return write(draft, before, after);
}

/** Takes a task that has ended out of sight and out of its run's counts. */
export function hideTask(draft: Draft, id: string): void {
  const task = changeTask(draft, id, { deletedAtMs: draft.nowMs });
  const run = draft.get('runs', task.runId);
  draft.put('runs', withRun(run, { taskCount: run.taskCount - 1 }));
}

/** Why something is paused, or waits in the queue, that has no money left. */
export const BUDGET = 'budget';

/** Why a task waits that a provider refuses until its limit resets. */
export const RATE_LIMITED = 'rate_limited';

/** Whether a task moves without a person. */
export function isActive(task: Pick<TaskRow, 'status' | 'reason'>): boolean {
  return (
    task.status === 'running' ||
    task.status === 'verifying' ||
    (task.status === 'waiting' && task.reason === RATE_LIMITED) ||
    (task.status === 'ready' &&
      task.reason !== 'waiting_for_assignment' &&
      task.reason !== 'barrier')
  );
}

/** What a task adds to the counters of its run. */
export function countsOf(
  task: TaskRow,
): Pick<RunRow, 'openTasks' | 'outOfPlay' | 'activeTasks' | 'failedTasks' | 'cancelledTasks'> {
  if (task.deletedAtMs !== null) return none;
  return {
    openTasks: isTerminalTask(task.status) ? 0 : 1,
    outOfPlay: task.outOfPlay ? 1 : 0,
    activeTasks: isActive(task) ? 1 : 0,
    // A check that fails or is not needed any more is no failure of the run: what it checked may be.
    failedTasks: task.status === 'failed' && task.verifies === null ? 1 : 0,
    cancelledTasks: task.status === 'cancelled' && task.verifies === null ? 1 : 0,
  };
}

function write(draft: Draft, before: TaskRow, after: TaskRow): TaskRow {
  draft.put('tasks', after);
  const run = draft.get('runs', after.runId);
  const counted = count(run, before, after);
  if (counted !== run) draft.put('runs', counted);
  draft.touchRun(after.runId);
  return after;
}

/** The run with a task counted as `after` instead of `before`. */
export function count(run: RunRow, before: TaskRow | null, after: TaskRow | null): RunRow {
  const old = before === null ? none : countsOf(before);
  const now = after === null ? none : countsOf(after);
  const isSame =
    old.openTasks === now.openTasks &&
    old.outOfPlay === now.outOfPlay &&
    old.activeTasks === now.activeTasks &&
    old.failedTasks === now.failedTasks &&
    old.cancelledTasks === now.cancelledTasks;
  if (isSame) return run;
  return withRun(run, {
    openTasks: run.openTasks + now.openTasks - old.openTasks,
    outOfPlay: run.outOfPlay + now.outOfPlay - old.outOfPlay,
    activeTasks: run.activeTasks + now.activeTasks - old.activeTasks,
    failedTasks: run.failedTasks + now.failedTasks - old.failedTasks,
    cancelledTasks: run.cancelledTasks + now.cancelledTasks - old.cancelledTasks,
  });
}

const none = { openTasks: 0, outOfPlay: 0, activeTasks: 0, failedTasks: 0, cancelledTasks: 0 };
