import { isTerminalRun } from '@baton/contract';
import { closeDelivery } from '../delivery/deliver-result.ts';
import type { Draft } from '../draft.ts';
import { list } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { RunRow } from '../rows.ts';
import type { Handler } from './handler.ts';
import { cancelRun } from './run-cancel.ts';

/** Cancels a run that has not ended and takes it out of sight. */
export const runDelete: Handler<'run.delete'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  deleteRun(draft, run, command.reason);
  return { run: run.id };
};

/** Does it; the run is gone for everybody at once, its agents are stopped. */
export function deleteRun(draft: Draft, run: RunRow, reason: string | null): void {
  if (!isTerminalRun(run.status) && run.status !== 'cancelling') {
    cancelRun(draft, run, reason ?? 'deleted');
  } else if (run.deliveryOrder !== null) {
    draft.load([list('timersOfRun', run.id), list('tasksOfRun', run.id)]);
    closeDelivery(draft, run.id, { state: 'refused', detail: 'the run was deleted' });
  }
  draft.put('runs', { ...draft.get('runs', run.id), deletedAtMs: draft.nowMs });
  draft.event('run.deleted', { run: run.id }, { reason });
}
