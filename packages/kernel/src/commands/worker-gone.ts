import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** A worker's link closed. What it holds goes on until its leases are over. */
export const workerGone: Handler<'worker.gone'> = (draft, command) => {
  const worker = draft.own('workers', command.worker);
  if (worker === null) return refuse('not_found', `There is no worker ${command.worker}.`);
  // A newer start of the daemon may have its link already.
  if (worker.incarnation !== command.incarnation) return { worker: worker.id, already: true };
  draft.put('workers', { ...worker, incarnation: null, presence: 'silent' });
  if (worker.presence === 'online')
    draft.event('worker.silent', { run: null }, { name: worker.name });
  return { worker: worker.id };
};
