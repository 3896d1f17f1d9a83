import { takesSlot } from '../attempt/slots.ts';
import { list } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** A draining worker gets no new work; what it holds goes on. */
export const workerDrain: Handler<'worker.drain'> = (draft, command) => {
  const worker = draft.own('workers', command.worker);
  if (worker === null) return refuse('not_found', `There is no worker ${command.worker}.`);
  if (worker.draining === command.draining) return { worker: worker.id, already: true };
  draft.put('workers', { ...worker, draining: command.draining });
  const about = { run: null };
  const data = { name: worker.name };
  if (!command.draining) {
    draft.event('worker.undrained', about, data);
    return { worker: worker.id };
  }
  draft.load([list('openAttemptsOfWorker', worker.id)]);
  draft.event('worker.draining', about, data);
  if (!draft.list('openAttemptsOfWorker', worker.id).some(takesSlot)) {
    draft.event('worker.drained', about, data);
  }
  return { worker: worker.id };
};
