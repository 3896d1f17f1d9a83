import { isOpenAttempt } from '@baton/contract';
import { loadForLoss, loseAttempt } from '../attempt/lose-attempt.ts';
import { rows } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** A lease is over: the attempt is lost, unless the lease was renewed since it was looked at. */
export const leaseExpire: Handler<'lease.expire'> = (draft, command) => {
  const attempt = draft.own('attempts', command.attempt);
  if (attempt === null) return refuse('not_found', `There is no attempt ${command.attempt}.`);
  const isOver =
    attempt.leaseUntilMs === command.leaseUntilMs && attempt.leaseUntilMs <= draft.nowMs;
  const reply = { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  if (!isOver || !isOpenAttempt(attempt.status)) return { ...reply, already: true };
  loadForLoss(draft, [attempt]);
  loseAttempt(draft, attempt, 'nothing was heard of it for longer than its lease');
  return reply;
};

/** The control plane itself was away: nobody could renew, so the leases get longer. */
export const leaseGrace: Handler<'lease.grace'> = (draft, command) => {
  draft.load(rows('attempts', command.attempts));
  for (const id of command.attempts) {
    const attempt = draft.own('attempts', id);
    if (attempt === null || !isOpenAttempt(attempt.status)) continue;
    const graceUntilMs = draft.nowMs + 2 * attempt.leaseSeconds * 1_000;
    if (graceUntilMs <= attempt.leaseUntilMs) continue;
    draft.put('attempts', { ...attempt, leaseUntilMs: graceUntilMs });
  }
  return {};
};
