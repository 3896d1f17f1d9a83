import { openAwaitOf, wake } from '../delegation/awaits.ts';
import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** Has the awaits of a run looked at: a task of another run that one watches has ended. */
export const awaitCheck: Handler<'await.check'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return { already: true };
  draft.touchRun(run.id);
  return { run: run.id };
};

/** A person resumes an agent that awaits, with what has arrived so far. */
export const awaitCancel: Handler<'await.cancel'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const open = openAwaitOf(draft, task.id);
  if (open === null || task.status !== 'waiting') {
    return refuse('wrong_status', `Task ${task.key} is ${task.status} and awaits nothing.`, {
      status: task.status,
    });
  }
  draft.load([{ kind: 'row', table: 'runs', id: task.runId }]);
  wake(draft, open, 'cancelled');
  return { task: task.id, run: task.runId };
};
