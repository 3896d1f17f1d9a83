import type { Draft } from '../draft.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { setTimer } from '../timer.ts';
import { setIdleTimer } from './idle-timeout.ts';

/** Sets the timers that watch an open attempt; its start and its run are counted from its claim. */
export function setAttemptTimers(draft: Draft, task: TaskRow, attempt: AttemptRow): void {
  const { timeouts } = draft.get('taskSpecs', task.id).spec;
  const hasStarted = attempt.status !== 'claimed';
  for (const [kind, seconds] of [
    ['start_timeout', hasStarted ? undefined : timeouts.start],
    ['run_timeout', timeouts.run],
  ] as const) {
    if (seconds === undefined) continue;
    const dueAtMs = attempt.claimedAtMs + seconds * 1_000;
    setTimer(draft, task, { kind, dueAtMs, guard: attempt.epoch, attempt: attempt.id });
  }
  if (hasStarted) setIdleTimer(draft, task, attempt);
}
