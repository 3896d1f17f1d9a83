import { isoOf } from '../iso-time.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import type { Draft } from '../draft.ts';
import { deadReason, edgeState, isRequired } from '../graph/edge-rule.ts';
import { cascade, leavePlay, resultOf } from '../graph/cascade.ts';
import { rows } from '../need.ts';
import { decideRetry, type EndCause } from '../retry/retry-policy.ts';
import type { AttemptRow } from '../rows.ts';
import { changeTask, moveTask } from '../task/change-task.ts';
import { failTask } from '../task/end-task.ts';
import { makeReady } from '../task/make-ready.ts';

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
    failureClass,
    ...(decision.counted
      ? { freeRetries: 0 }
      : { attemptCount: task.attemptCount - 1, freeRetries: task.freeRetries + 1 }),
  });
  draft.event('task.retrying', { run: task.runId, task: task.id, attempt: attempt.id }, {
    attempt: attempt.id,
    failure_class: failureClass,
    reason,
    retry_at: decision.hold === null ? null : isoOf(decision.hold.untilMs),
    counted: decision.counted,
  });
  offer(draft, task.id, decision.hold);
}

/** Hands a task out again, unless an upstream was redone meanwhile: then it is blocked by it. */
function offer(draft: Draft, id: string, hold: Parameters<typeof makeReady>[3]): void {
  const { pending, runId } = draft.get('tasks', id);
  if (pending === 0) {
    makeReady(draft, id, 'offer', hold);
    return;
  }
  moveTask(draft, id, 'offer', 'ready', { reason: null });
  moveTask(draft, id, 'block', 'blocked', { reason: null });
  draft.event('task.blocked', { run: runId, task: id }, { reason: null });
  const dead = findDead(draft, id);
  if (dead !== null && leavePlay(draft, id, dead)) cascade(draft, [id]);
}

/** Why a blocked task cannot start as things stand, or null when it may yet. */
export function findDead(draft: Draft, id: string): string | null {
  const open = draft.list('edgesIn', id).filter((edge) => !edge.satisfied && isRequired(edge));
  draft.load(rows('tasks', open.map((edge) => edge.upstreamId)));
  for (const edge of open) {
    const upstream = draft.get('tasks', edge.upstreamId);
    if (edgeState(edge, upstream, () => resultOf(draft, upstream)) === 'dead') {
      return deadReason(edge, upstream);
    }
  }
  return null;
}
