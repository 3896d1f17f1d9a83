import { isTerminalRun } from '@baton/contract';
import { refuse } from '../refuse.ts';
import { pauseRun } from '../run/pause-run.ts';
import type { Handler } from './handler.ts';

/**
 * Suspends a run: its agents are stopped and nothing of it starts until it is resumed. What waits for
 * its upstreams goes on waiting for them; questions stay open.
 */
export const runPause: Handler<'run.pause'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  if (run.status === 'paused') return { run: run.id, already: true };
  if (isTerminalRun(run.status)) {
    return refuse(
      'run_ended',
      `Run ${run.id} has ended as ${run.status}; there is nothing to pause.`,
    );
  }
  if (run.status === 'cancelling') {
    return refuse('wrong_status', `Run ${run.id} is being cancelled and cannot be paused.`);
  }
  pauseRun(draft, run.id, command.reason ?? 'paused', null);
  return { run: run.id };
};
