import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** Has a run's status looked at again. */
export const runSettle: Handler<'run.settle'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  draft.touchRun(run.id);
  return { run: run.id };
};
