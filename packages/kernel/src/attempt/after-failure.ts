import { isoOf } from '../iso-time.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import type { Draft } from '../draft.ts';
import { passOn } from './continuation.ts';
import { goesOnAtMs, parkEngine } from '../limits/parking.ts';
import { decideRetry, type EndCause } from '../retry/retry-policy.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { changeTask, moveTask, RATE_LIMITED } from '../task/change-task.ts';
import { failTask } from '../task/end-task.ts';
import { offerTask } from '../task/offer-task.ts';
import { setTimer } from '../timer.ts';

/** Decides and does what becomes of a task whose attempt ended without finishing it. */
export function afterFailure(
  draft: Draft,
  attempt: AttemptRow,
  cause: EndCause,
  reason: string,
  retryAtMs: number | null = null,
): void {
  const task = draft.get('tasks', attempt.taskId);
  cancelCheckpointOf(draft, task, reason);
  const decision = decideRetry({
    cause,
    policy: draft.get('taskSpecs', task.id).spec.retry,
    attemptCount: task.attemptCount,
    freeRetries: task.freeRetries,
    retryAtMs,
    nowMs: draft.nowMs,
    random: draft.context.random(),
  });
  if (decision.kind === 'fail') {
    if (decision.isPoison) failTask(draft, task.id, 'internal', `poison: ${reason}`);
    else failTask(draft, task.id, cause === 'released' ? 'internal' : cause, reason);
    return;
  }
  const failureClass = cause === 'released' ? null : cause;
  changeTask(draft, task.id, {
    ...passOn(attempt),
    failureClass,
    ...(decision.counted
      ? { freeRetries: 0 }
      : { attemptCount: task.attemptCount - 1, freeRetries: task.freeRetries + 1 }),
  });
  draft.event(
    'task.retrying',
    { run: task.runId, task: task.id, attempt: attempt.id },
    {
      attempt: attempt.id,
      failure_class: failureClass,
      reason,
      retry_at: decision.hold === null ? null : isoOf(decision.hold.untilMs),
      counted: decision.counted,
    },
  );
  if (decision.hold?.held === 'rate_limited') {
    parkEngine(draft, attempt, decision.hold.untilMs, reason);
    waitForReset(draft, draft.get('tasks', task.id), decision.hold.untilMs);
    return;
  }
  offerTask(draft, task.id, 'offer', decision.hold);
}

/** A task that a provider refused goes on where it can, else when the provider lets it. */
function waitForReset(draft: Draft, task: TaskRow, resetMs: number): void {
  const untilMs = goesOnAtMs(draft, task, resetMs);
  if (untilMs === null) offerTask(draft, task.id, 'offer');
  else if (task.status !== 'running' || task.pending > 0) {
    offerTask(draft, task.id, 'offer', { held: RATE_LIMITED, untilMs });
  } else {
    const waiting = moveTask(draft, task.id, 'park', 'waiting', {
      reason: RATE_LIMITED,
      retryAtMs: untilMs,
    });
    setTimer(draft, waiting, { kind: 'retry_backoff', dueAtMs: untilMs, guard: task.generation });
  }
}
