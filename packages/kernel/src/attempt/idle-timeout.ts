import { isOpenAttempt } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { msOfIso } from '../iso-time.ts';
import { list } from '../need.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { setTimer } from '../timer.ts';

/**
 * A timer that fires this much too late was not ours to fire in time: the control plane was away, and
 * what the agent wrote meanwhile has not arrived yet.
 */
const lateMsMax = 10_000;

/** Has the silence of an attempt looked at after `timeouts.idle`; set when its process starts. */
export function setIdleTimer(draft: Draft, task: TaskRow, attempt: AttemptRow): void {
  const idleMs = idleMsOf(draft, task.id);
  if (idleMs !== null) armIdleTimer(draft, task, attempt, draft.nowMs + idleMs);
}

/**
 * Whether an attempt has been silent for `timeouts.idle`. The timer is not moved by each sign of life:
 * when it fires, the latest of them is looked up, and it is set again for what is left. One that waits
 * for a person is not idle, and of one whose worker cannot be heard nothing is known: leases decide.
 */
export function isIdle(
  draft: Draft,
  attempt: AttemptRow,
  dueAtMs: number,
  loggedAtMs: number | null,
): boolean {
  const idleMs = idleMsOf(draft, attempt.taskId);
  if (idleMs === null || !isOpenAttempt(attempt.status)) return false;
  const task = draft.get('tasks', attempt.taskId);
  const isUnknown =
    attempt.status === 'parked' ||
    draft.nowMs - dueAtMs > lateMsMax ||
    !isHeard(draft, attempt.workerId);
  const untilMs = isUnknown
    ? draft.nowMs + idleMs
    : lastSignMs(draft, task, attempt, loggedAtMs) + idleMs;
  if (untilMs <= draft.nowMs) return true;
  armIdleTimer(draft, task, attempt, untilMs);
  return false;
}

function armIdleTimer(draft: Draft, task: TaskRow, attempt: AttemptRow, dueAtMs: number): void {
  setTimer(draft, task, {
    kind: 'idle_timeout',
    dueAtMs,
    guard: attempt.epoch,
    attempt: attempt.id,
  });
}

function idleMsOf(draft: Draft, taskId: string): number | null {
  const { idle } = draft.get('taskSpecs', taskId).spec.timeouts;
  return idle === undefined ? null : idle * 1_000;
}

/** Whether the worker's last beat is not overdue, so that what its agents write arrives here. */
function isHeard(draft: Draft, workerId: string): boolean {
  const seenAtMs = draft.find('workers', workerId)?.lastSeenAtMs ?? null;
  return seenAtMs !== null && draft.nowMs - seenAtMs <= 2 * draft.context.heartbeatMs;
}

/** The latest of what the agent did: start, log, progress, output, file, an answer that it got. */
function lastSignMs(
  draft: Draft,
  task: TaskRow,
  attempt: AttemptRow,
  loggedAtMs: number | null,
): number {
  draft.load([
    list('outputsOfTask', task.id),
    list('artifactsOfTask', task.id),
    list('checkpointsOfAttempt', attempt.id),
  ]);
  const isOurs = (it: { readonly attemptId: string | null }): boolean =>
    it.attemptId === attempt.id;
  return Math.max(
    attempt.startedAtMs ?? attempt.claimedAtMs,
    loggedAtMs ?? 0,
    task.progress === null ? 0 : (msOfIso(task.progress.at) ?? 0),
    ...draft
      .list('outputsOfTask', task.id)
      .filter(isOurs)
      .map((it) => it.fulfilledAtMs),
    ...draft
      .list('artifactsOfTask', task.id)
      .filter(isOurs)
      .map((it) => it.createdAtMs),
    ...draft.list('checkpointsOfAttempt', attempt.id).map((it) => it.closedAtMs ?? it.openedAtMs),
  );
}
