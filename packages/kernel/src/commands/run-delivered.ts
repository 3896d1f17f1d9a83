import { closeDelivery } from '../delivery/deliver-result.ts';
import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** A worker reports on the order it had. Said again, or after the deadline, it changes nothing. */
export const runDelivered: Handler<'run.delivered'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  const { delivery } = command;
  const isReport = delivery.state === 'delivered' || delivery.state === 'refused';
  const isOwn = run.deliveryOrder !== null && run.deliveryWorkerId === command.worker;
  if (!isOwn || !isReport) return { run: run.id, already: true };
  closeDelivery(draft, run.id, delivery);
  return { run: run.id };
};
