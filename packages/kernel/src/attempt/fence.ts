import { isOpenAttempt } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { AttemptRow } from '../rows.ts';
import { isYield } from './stop-order.ts';

interface FencedWrite {
  readonly attempt: string;
  readonly worker: string | null;
  readonly body: { readonly epoch: number };
}

/** The attempt a command writes for, if it is the caller's, whatever its state. */
export function findAttempt(draft: Draft, write: Omit<FencedWrite, 'body'>): AttemptRow | Refused {
  const attempt = draft.own('attempts', write.attempt);
  if (attempt === null || (write.worker !== null && attempt.workerId !== write.worker)) {
    return refuse('not_found', `There is no attempt ${write.attempt} of this worker.`);
  }
  return attempt;
}

/**
 * The attempt a command writes for, if its epoch is the task's current one and it is open. A stopping
 * one is let through only where `canStop` says so.
 */
export function fence(draft: Draft, write: FencedWrite, canStop = false): AttemptRow | Refused {
  const attempt = findAttempt(draft, write);
  if ('refused' in attempt) return attempt;
  const isLive = isOpenAttempt(attempt.status) || (canStop && attempt.status === 'stopping');
  const task = draft.get('tasks', attempt.taskId);
  const isCurrent = attempt.status === 'stopping' || task.epoch === attempt.epoch;
  if (write.body.epoch === attempt.epoch && isLive && isCurrent) return attempt;
  return staleEpoch(draft, attempt, write.body.epoch);
}

/** The refusal of a write by an attempt that does not hold its task any more. */
export function staleEpoch(draft: Draft, attempt: AttemptRow, epoch: number): Refused {
  const task = draft.get('tasks', attempt.taskId);
  return refuse(
    'stale_epoch',
    `Attempt ${attempt.id} is ${attempt.status} and its epoch ${epoch} is not current any more ` +
      `(now ${task.epoch}); stop the work and keep its workspace.`,
    {
      epoch: task.epoch,
      attempt_status: attempt.status,
      task_status: task.status,
      ...(attempt.status === 'stopping' ? { yields: isYield(attempt) } : {}),
    },
  );
}
