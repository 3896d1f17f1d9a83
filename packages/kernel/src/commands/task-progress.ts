import { isTerminalTask } from '@baton/contract';
import { putProgress } from '../task/put-progress.ts';
import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** Progress that a person notes. */
export const taskProgress: Handler<'task.progress'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  if (isTerminalTask(task.status)) {
    return refuse(
      'wrong_status',
      `Task ${task.key} is ${task.status}; it makes no progress any more.`,
    );
  }
  putProgress(draft, task.id, null, command);
  return { task: task.id, run: task.runId };
};
