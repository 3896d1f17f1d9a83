import { isTerminalRun, isTerminalTask } from '@baton/contract';
import { closeCheckpoint } from '../checkpoint/close-checkpoint.ts';
import { closeDelivery } from '../delivery/deliver-result.ts';
import { list, row } from '../need.ts';
import type { Draft } from '../draft.ts';
import { refuse } from '../refuse.ts';
import type { RunRow } from '../rows.ts';
import { moveRun } from '../run/settle.ts';
import { cancelTasks } from '../task/end-task.ts';
import type { Handler } from './handler.ts';

/** Cancels what has not ended. The run is `cancelling` until no process of it is left. */
export const runCancel: Handler<'run.cancel'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  if (run.status === 'cancelling' || run.status === 'cancelled')
    return { run: run.id, already: true };
  if (isTerminalRun(run.status)) {
    return refuse(
      'run_ended',
      `Run ${run.id} has ended as ${run.status}; there is nothing to cancel.`,
    );
  }
  cancelRun(draft, run, command.reason ?? 'cancelled');
  return { run: run.id };
};

/** Cancels a run that has not ended. */
export function cancelRun(draft: Draft, run: RunRow, reason: string): void {
  draft.load([list('tasksOfRun', run.id), list('openAttemptsOfRun', run.id), row('runs', run.id)]);
  moveRun(draft, run.id, 'cancel', 'cancelling', { reason });
  draft.event('run.cancelling', { run: run.id }, { reason });
  const open = draft.list('tasksOfRun', run.id).filter((it) => !isTerminalTask(it.status));
  const inOrder = open.toSorted((a, b) => a.position - b.position).map((it) => it.id);
  if (run.deliveryOrder !== null) {
    closeDelivery(draft, run.id, { state: 'refused', detail: 'the run was cancelled' });
  }
  cancelTasks(draft, inOrder, () => reason);
  if (run.barrierId !== null) closeCheckpoint(draft, run.barrierId, 'cancel', null, reason);
  draft.touchRun(run.id);
}
