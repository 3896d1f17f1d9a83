import { loadForLoss, loseAttempt } from '../attempt/lose-attempt.ts';
import { list } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** Takes a worker out of the fleet; what it held is offered to others. */
export const workerRemove: Handler<'worker.remove'> = (draft, command) => {
  const worker = draft.own('workers', command.worker);
  if (worker === null) return refuse('not_found', `There is no worker ${command.worker}.`);
  draft.load([list('openAttemptsOfWorker', worker.id)]);
  const open = draft.list('openAttemptsOfWorker', worker.id);
  loadForLoss(draft, open);
  for (const attempt of open) loseAttempt(draft, attempt, 'the worker was removed');
  draft.remove('workers', worker.id);
  draft.event('worker.removed', { run: null }, { name: worker.name });
  return { worker: worker.id };
};
