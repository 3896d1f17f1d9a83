import { isOpenAttempt } from '@baton/contract';
import { loadForLoss, loseAttempt } from '../attempt/lose-attempt.ts';
import { stopOrders } from '../attempt/stop-order.ts';
import type { Draft } from '../draft.ts';
import { list } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { AttemptRow } from '../rows.ts';
import type { Handler } from './handler.ts';

/**
 * A daemon opens its link and says what it holds. What was claimed for it and never reached it is
 * delivered again; what ran and it does not know is lost; what it holds and should not is stale.
 */
export const workerHello: Handler<'worker.hello'> = (draft, command) => {
  const worker = draft.own('workers', command.worker);
  if (worker === null) return refuse('not_found', `There is no worker ${command.worker}.`);
  const { hello } = command;
  draft.load([list('openAttemptsOfWorker', worker.id)]);
  const open = draft.list('openAttemptsOfWorker', worker.id);
  const known = new Map(hello.attempts.map((it) => [it.id, it]));
  const isKnown = (it: AttemptRow): boolean => known.get(it.id)?.epoch === it.epoch;
  const gone = open.filter((it) => !isKnown(it) && it.status !== 'claimed');
  loadForLoss(draft, gone);
  draft.put('workers', {
    ...worker,
    incarnation: hello.incarnation,
    version: hello.version,
    slots: hello.slots,
    leaving: hello.draining,
    labels: { ...worker.labels, ...hello.labels },
    capabilities: hello.capabilities,
    presence: 'online',
    lastSeenAtMs: draft.nowMs,
  });
  if (worker.presence !== 'online')
    draft.event('worker.online', { run: null }, { name: worker.name });
  for (const attempt of open) if (isOpenAttempt(attempt.status)) renew(draft, attempt);
  for (const attempt of gone) {
    loseAttempt(draft, draft.get('attempts', attempt.id), 'the worker came back without it');
  }
  const held = new Map(open.map((it) => [it.id, it]));
  return {
    worker: worker.id,
    claimed: open
      .filter((it) => it.status === 'claimed' && !isKnown(it))
      .map((it) => ({ worker: worker.id, attempt: it.id })),
    cancel: stopOrders(open.filter(isKnown)),
    stale: hello.attempts
      .filter((it) => !it.ended && held.get(it.id)?.epoch !== it.epoch)
      .map((it) => it.id),
  };
};

function renew(draft: Draft, attempt: AttemptRow): void {
  draft.put('attempts', {
    ...attempt,
    leaseUntilMs: Math.max(attempt.leaseUntilMs, draft.nowMs + attempt.leaseSeconds * 1_000),
    missedBeats: 0,
  });
}
