import { DEFAULTS, isOpenAttempt } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { lists, rows } from '../need.ts';
import type { AttemptRow } from '../rows.ts';
import { afterFailure } from './after-failure.ts';
import { closeHeld } from './continuation.ts';
import { isHeld } from './slots.ts';
import { aboutAttempt, closeAttempt, closeStopped } from './close-attempt.ts';

/** Loads at once what losing these attempts reads. */
export function loadForLoss(draft: Draft, attempts: readonly AttemptRow[]): void {
  draft.load([
    ...rows(
      'tasks',
      attempts.map((it) => it.taskId),
    ),
    ...rows(
      'taskSpecs',
      attempts.map((it) => it.taskId),
    ),
    ...rows(
      'workers',
      attempts.map((it) => it.workerId),
    ),
    ...rows(
      'runs',
      attempts.map((it) => it.runId),
    ),
    ...lists(
      'timersOfTask',
      attempts.filter((it) => it.status === 'stopping').map((it) => it.taskId),
    ),
  ]);
  loadPoisoned(draft, attempts);
}

/** Tasks that will fail for it, having been lost too often: their dependents are read with them. */
function loadPoisoned(draft: Draft, attempts: readonly AttemptRow[]): void {
  const poisoned = attempts
    .filter((it) => draft.get('tasks', it.taskId).freeRetries + 1 >= DEFAULTS.freeRetriesMax)
    .map((it) => it.taskId);
  draft.load(lists('edgesOut', poisoned));
  const edges = poisoned.flatMap((id) => draft.list('edgesOut', id));
  draft.load(
    rows(
      'tasks',
      edges.map((edge) => edge.downstreamId),
    ),
  );
}

/** The process of an attempt is gone or out of reach: its task is offered again. */
export function loseAttempt(draft: Draft, attempt: AttemptRow, reason: string): void {
  if (attempt.status === 'stopping') {
    closeStopped(draft, attempt.id);
    return;
  }
  if (!isOpenAttempt(attempt.status)) return;
  // Its task goes on waiting, and is begun anew once it may go on.
  if (isHeld(attempt)) {
    closeHeld(draft, attempt, 'lose', reason);
    return;
  }
  closeAttempt(draft, attempt.id, 'lose', 'lost', { failureClass: 'lost', reason });
  draft.event('attempt.lost', aboutAttempt(attempt), { reason });
  afterFailure(draft, attempt, 'lost', reason);
}
