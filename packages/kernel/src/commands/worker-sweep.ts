import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** Tells that a worker has not been heard of for too long. */
export const workerSweep: Handler<'worker.sweep'> = (draft, command) => {
  const worker = draft.own('workers', command.worker);
  if (worker === null) return refuse('not_found', `There is no worker ${command.worker}.`);
  const quietMs = draft.nowMs - (worker.lastSeenAtMs ?? worker.registeredAtMs);
  const { offlineMs, silentMs } = draft.context;
  const presence =
    quietMs >= offlineMs ? 'offline' : quietMs >= silentMs ? 'silent' : worker.presence;
  const isDown = presence === 'offline' || worker.presence === 'online';
  if (presence === worker.presence || !isDown) return { worker: worker.id, already: true };
  draft.put('workers', { ...worker, presence });
  const type = presence === 'offline' ? 'worker.offline' : 'worker.silent';
  draft.event(type, { run: null }, { name: worker.name });
  return { worker: worker.id };
};
