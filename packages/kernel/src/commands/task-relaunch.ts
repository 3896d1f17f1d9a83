import { refuse } from '../refuse.ts';
import { reopenRun } from '../run/settle.ts';
import { redoTasks } from '../task/redo-task.ts';
import type { Handler } from './handler.ts';
import { forgetFailure, refuseRedo } from './task-retry.ts';

/**
 * Puts a task of any status back to its start, under the same id: a live agent is stopped, and the next
 * one is told nothing of what was before.
 */
export const taskRelaunch: Handler<'task.relaunch'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const refused = refuseRedo(draft, task);
  if (refused !== null) return refused;
  reopenRun(draft, task.runId, `task_relaunched:${task.key}`);
  const { downstream, reason } = command;
  redoTasks(draft, task.id, { downstream, reason, fresh: true });
  forgetFailure(draft, task.runId);
  return { task: task.id, run: task.runId };
};
