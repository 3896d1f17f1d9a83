import { isTerminalRun, isTerminalTask } from '@baton/contract';
import { list } from '../need.ts';
import { refuse } from '../refuse.ts';
import { moveRun } from '../run/settle.ts';
import { loadLives } from '../task/end-task.ts';
import { RUN_PAUSED } from '../task/open-task.ts';
import { pauseTask } from '../task/pause-task.ts';
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
  draft.load([list('tasksOfRun', run.id)]);
  moveRun(draft, run.id, 'pause', 'paused');
  draft.event('run.paused', { run: run.id }, { reason: command.reason ?? 'paused' });
  const moving = draft
    .list('tasksOfRun', run.id)
    .filter((it) => !isTerminalTask(it.status) && it.status !== 'blocked')
    .toSorted((a, b) => a.position - b.position)
    .map((it) => it.id);
  loadLives(draft, moving);
  for (const id of moving) pauseTask(draft, id, RUN_PAUSED);
  draft.touchRun(run.id);
  return { run: run.id };
};
