import { isTerminalTask } from '@baton/contract';
import { handedOnBy } from '../delegation/chain.ts';
import { refuse } from '../refuse.ts';
import { cancelTasks, downstreamOf } from '../task/end-task.ts';
import type { Handler } from './handler.ts';

/** Cancels a task, what needs its success, and what the agents of these have handed on. */
export const taskCancel: Handler<'task.cancel'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const reply = { task: task.id, run: task.runId };
  if (task.status === 'cancelled') return { ...reply, already: true };
  if (isTerminalTask(task.status)) {
    return refuse(
      'wrong_status',
      `Task ${task.key} is ${task.status} already; there is nothing to cancel.`,
      {
        status: task.status,
      },
    );
  }
  if (task.verifies !== null) {
    return refuse(
      'wrong_status',
      `Task ${task.key} only checks another one; cancel the task that it checks.`,
      { verifies: task.verifies.task },
    );
  }
  const reason = command.reason ?? 'cancelled';
  const needing = downstreamOf(draft, task.id);
  const handedOn = new Set(handedOnBy(draft, needing));
  cancelTasks(draft, [...needing, ...handedOn], (it) => {
    if (it.id === task.id) return reason;
    return handedOn.has(it.id) ? `parent_cancelled:${task.key}` : `${CANCELLED_WITH}${task.key}`;
  });
  return reply;
};

/** Reason of a task that was cancelled because it needs one that was; the key of that one follows. */
export const CANCELLED_WITH = 'dependency_cancelled:';
