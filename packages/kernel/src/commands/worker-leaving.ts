import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** A worker that is about to end finishes what it holds and gets no new work until it comes back. */
export const workerLeaving: Handler<'worker.leaving'> = (draft, command) => {
  const worker = draft.own('workers', command.worker);
  if (worker === null) return refuse('not_found', `There is no worker ${command.worker}.`);
  if (worker.leaving) return { worker: worker.id, already: true };
  draft.put('workers', { ...worker, leaving: true });
  draft.event('worker.updated', { run: null }, { name: worker.name, fields: ['leaving'] });
  return { worker: worker.id };
};
