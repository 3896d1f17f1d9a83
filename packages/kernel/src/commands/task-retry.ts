import { isTerminalTask } from '@baton/contract';
import { refuse, type Refused } from '../refuse.ts';
import { blockedBy, loadRun, redoTasks } from '../task/redo-task.ts';
import { reopenRun } from '../run/settle.ts';
import type { Draft } from '../draft.ts';
import type { TaskRow } from '../rows.ts';
import type { Handler } from './handler.ts';

/** A new generation of an ended task, told of its last failure; what depends on it goes back to waiting where it can. */
export const taskRetry: Handler<'task.retry'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  if (!isTerminalTask(task.status)) {
    return refuse(
      'wrong_status',
      `Task ${task.key} is ${task.status}; only ended tasks are retried. Cancel it first.`,
      { status: task.status },
    );
  }
  const refused = refuseRedo(draft, task);
  if (refused !== null) return refused;
  reopenRun(draft, task.runId, `task_retried:${task.key}`);
  const { downstream, reason } = command;
  redoTasks(draft, task.id, { downstream, reason });
  forgetFailure(draft, task.runId);
  return { task: task.id, run: task.runId };
};

/** A task that only checks another one lives and ends with it: what is wanted is said of that one. */
export function refuseCheck(task: TaskRow, wanted: string): Refused | null {
  if (task.verifies === null) return null;
  return refuse(
    'wrong_status',
    `Task ${task.key} only checked another one and cannot be ${wanted}; say it of the task that it checks.`,
    { verifies: task.verifies.task },
  );
}

/** Why a task cannot be done again now, or null. Loads its run, as doing it again does. */
export function refuseRedo(draft: Draft, task: TaskRow): Refused | null {
  const check = refuseCheck(task, 'done again');
  if (check !== null) return check;
  loadRun(draft, task.runId);
  if (draft.get('runs', task.runId).status === 'cancelling') {
    return refuse('wrong_status', `Run ${task.runId} is being cancelled; wait until it has ended.`);
  }
  const obstacle = blockedBy(draft, task.id);
  if (obstacle !== null) {
    return refuse(
      'wrong_status',
      `Task ${task.key} needs ${obstacle.key}, which is ${obstacle.status}; retry ${obstacle.key} instead.`,
      { upstream: obstacle.key, status: obstacle.status },
    );
  }
  return null;
}

/** A run that has no failed task any more has no failure to name. */
export function forgetFailure(draft: Draft, runId: string): void {
  const run = draft.get('runs', runId);
  if (run.failedTasks === 0 && run.reason !== null) draft.put('runs', { ...run, reason: null });
}
