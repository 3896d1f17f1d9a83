import { DEFAULTS } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { releasePlaces } from '../limits/holds.ts';
import type { AttemptRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import { dropTimers } from '../timer.ts';
import { nextAttemptStatus } from './attempt-machine.ts';
import { aboutAttempt, stopAttempt } from './close-attempt.ts';
import { passOn } from './continuation.ts';

/** Seconds that an agent which was told to end its turn has for that, before it is ended. */
export const TURN_SECONDS = 10;

/**
 * Has an attempt end its process although its task has not ended; the task's next claim goes on where
 * it stopped (`continueTask`). `held`: it stays open without a process, keeps its workspace and takes
 * no slot. `ended`: it is stopping, and closes as `released`; it does not count as an attempt.
 * `saysItself`: the agent asked for it and ends its turn by itself. The caller moves the task.
 */
export function yieldAttempt(
  draft: Draft,
  attempt: AttemptRow,
  how: 'held' | 'ended',
  reason: string,
  saysItself: boolean,
): void {
  if (how === 'held') {
    const held = releasePlaces(draft, attempt);
    draft.put('attempts', {
      ...held,
      status: nextAttemptStatus(attempt.status, 'park', 'parked'),
      parkMode: 'held',
    });
    changeTask(draft, attempt.taskId, { continueAttemptId: attempt.id, wake: null });
    // Waiting for a person without a process takes none of the time that it has.
    const { timeouts } = draft.get('taskSpecs', attempt.taskId).spec;
    if (Object.keys(timeouts).length > 0) {
      dropTimers(
        draft,
        attempt.taskId,
        ['start_timeout', 'run_timeout', 'idle_timeout'],
        attempt.id,
      );
    }
    draft.event('attempt.parked', aboutAttempt(attempt), { reason });
    return;
  }
  const { attemptCount } = draft.get('tasks', attempt.taskId);
  changeTask(draft, attempt.taskId, {
    attemptCount: Math.max(0, attemptCount - 1),
    ...(attempt.startedAtMs === null
      ? passOn(attempt)
      : { continueAttemptId: attempt.id, wake: null }),
  });
  const graceSeconds = DEFAULTS.termToKillSeconds + (saysItself ? TURN_SECONDS : 0);
  stopAttempt(draft, attempt.id, null, reason, graceSeconds);
}
