import { row } from '../need.ts';
import { refuse } from '../refuse.ts';
import { loadLives } from '../task/end-task.ts';
import { resumeTask } from '../task/pause-task.ts';
import type { Handler } from './handler.ts';

/** Lets a paused task go on. */
export const taskResume: Handler<'task.resume'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const reply = { task: task.id, run: task.runId };
  if (task.status !== 'paused') {
    const wayOut = task.status === 'waiting' ? ' Decide what it waits for instead.' : '';
    return refuse('wrong_status', `Task ${task.key} is ${task.status}, not paused.${wayOut}`, {
      status: task.status,
    });
  }
  draft.load([row('runs', task.runId)]);
  if (draft.get('runs', task.runId).status === 'paused') {
    return refuse('wrong_status', `Run ${task.runId} is paused; resume the run.`, {
      run: task.runId,
    });
  }
  loadLives(draft, [task.id]);
  resumeTask(draft, task.id);
  return reply;
};
