import { list } from '../need.ts';
import { refuse } from '../refuse.ts';
import { moveRun } from '../run/settle.ts';
import { loadLives } from '../task/end-task.ts';
import { isPausedWithRun, resumeTask } from '../task/pause-task.ts';
import type { Handler } from './handler.ts';

/** Lets a paused run go on. Tasks that were paused for themselves stay so. */
export const runResume: Handler<'run.resume'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  if (run.status !== 'paused') {
    return refuse('wrong_status', `Run ${run.id} is ${run.status}, not paused.`, {
      status: run.status,
    });
  }
  draft.load([list('tasksOfRun', run.id)]);
  moveRun(draft, run.id, 'resume', 'running');
  draft.event('run.resumed', { run: run.id }, {});
  const paused = draft
    .list('tasksOfRun', run.id)
    .filter(isPausedWithRun)
    .toSorted((a, b) => a.position - b.position)
    .map((it) => it.id);
  loadLives(draft, paused);
  for (const id of paused) resumeTask(draft, id);
  draft.touchRun(run.id);
  return { run: run.id };
};
