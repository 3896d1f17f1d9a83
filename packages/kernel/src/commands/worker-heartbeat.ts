import { isOpenAttempt, type CommandOf } from '@baton/contract';
import { noteUsage } from '../attempt/close-attempt.ts';
import { loadForLoss, loseAttempt } from '../attempt/lose-attempt.ts';
import { stopOrders } from '../attempt/stop-order.ts';
import type { Draft } from '../draft.ts';
import { list, rows } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { AttemptRow, WorkerRow } from '../rows.ts';
import { withAttempt } from '../rows/changed-row.ts';
import { putProgress } from '../task/put-progress.ts';
import type { Handler } from './handler.ts';

type Beat = CommandOf<'worker.heartbeat'>['beat'];

/** An attempt that this many beats in a row did not name is lost. */
const missedBeatsMax = 2;

/** A worker is there and names what it holds: leases are renewed; it is told what it must let go. */
export const workerHeartbeat: Handler<'worker.heartbeat'> = (draft, command) => {
  const worker = draft.own('workers', command.worker);
  if (worker === null) return refuse('not_found', `There is no worker ${command.worker}.`);
  draft.load([list('openAttemptsOfWorker', worker.id)]);
  const open = draft.list('openAttemptsOfWorker', worker.id);
  const named = new Map(command.beat.attempts.map((it) => [it.id, it]));
  const isNamed = (it: AttemptRow): boolean => named.get(it.id)?.epoch === it.epoch;
  const missing = open.filter((it) => it.status !== 'claimed' && !isNamed(it));
  const gone = missing.filter((it) => it.missedBeats + 1 >= missedBeatsMax);
  loadFor(draft, open.filter(isNamed), named);
  loadForLoss(draft, gone);
  see(draft, worker, command.incarnation ?? null);
  for (const attempt of open) {
    const beat = named.get(attempt.id);
    if (isNamed(attempt) && beat !== undefined) renew(draft, attempt, beat);
    else if (attempt.status !== 'claimed') miss(draft, attempt);
  }
  for (const attempt of gone) {
    loseAttempt(draft, draft.get('attempts', attempt.id), 'the worker does not name it any more');
  }
  const held = new Map(open.map((it) => [it.id, it]));
  return {
    worker: worker.id,
    cancel: stopOrders(open.filter((it) => !gone.includes(it))),
    stale: command.beat.attempts
      .filter((it) => held.get(it.id)?.epoch !== it.epoch)
      .map((it) => it.id),
  };
};

/** News of progress and costs concern the task and its run; a bare beat does not read them. */
function loadFor(
  draft: Draft,
  attempts: readonly AttemptRow[],
  named: ReadonlyMap<string, Beat['attempts'][number]>,
): void {
  const telling = attempts.filter((it) => {
    const beat = named.get(it.id);
    return beat?.progress !== undefined || beat?.usage !== undefined;
  });
  draft.load([
    ...rows(
      'tasks',
      telling.map((it) => it.taskId),
    ),
    ...rows(
      'runs',
      telling.map((it) => it.runId),
    ),
  ]);
}

function see(draft: Draft, worker: WorkerRow, link: string | null): void {
  draft.put('workers', {
    ...worker,
    // The late end of another link may have taken it for one without a link.
    incarnation: worker.incarnation ?? link,
    lastSeenAtMs: draft.nowMs,
    presence: 'online',
  });
  if (worker.presence !== 'online')
    draft.event('worker.online', { run: null }, { name: worker.name });
}

function renew(draft: Draft, attempt: AttemptRow, beat: Beat['attempts'][number]): void {
  if (!isOpenAttempt(attempt.status)) {
    if (attempt.missedBeats > 0) draft.put('attempts', withAttempt(attempt, { missedBeats: 0 }));
    return;
  }
  // A grace may reach further: what renews a lease never shortens it.
  const renewedMs = draft.nowMs + attempt.leaseSeconds * 1_000;
  const leaseUntilMs = Math.max(attempt.leaseUntilMs, renewedMs);
  draft.put('attempts', withAttempt(attempt, { leaseUntilMs, missedBeats: 0 }));
  if (beat.usage !== undefined) noteUsage(draft, attempt.id, beat.usage);
  if (beat.progress !== undefined) putProgress(draft, attempt.taskId, attempt.id, beat.progress);
}

function miss(draft: Draft, attempt: AttemptRow): void {
  draft.put('attempts', withAttempt(attempt, { missedBeats: attempt.missedBeats + 1 }));
}
