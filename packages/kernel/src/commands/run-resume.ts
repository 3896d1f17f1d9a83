import { refuse } from '../refuse.ts';
import { resumeRun } from '../run/pause-run.ts';
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
  resumeRun(draft, run.id);
  return { run: run.id };
};
