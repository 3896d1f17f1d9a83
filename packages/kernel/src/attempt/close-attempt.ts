import {
  DEFAULTS,
  isOpenAttempt,
  type AttemptStatus,
  type FailureClass,
  type TaskResult,
  type Usage,
} from '@baton/contract';
import type { Draft } from '../draft.ts';
import { releaseFunds, spend } from '../limits/budget.ts';
import { releasePlaces } from '../limits/holds.ts';
import { usdMicrosOf } from '../money.ts';
import type { AttemptRow } from '../rows.ts';
import { withAttempt, withRun } from '../rows/changed-row.ts';
import { changeTask } from '../task/change-task.ts';
import { dropTimers, setTimer } from '../timer.ts';
import { releaseHold } from '../task/make-ready.ts';
import { takesSlot } from './slots.ts';
import { isYield } from './stop-order.ts';
import { nextAttemptStatus, type AttemptInput } from './attempt-machine.ts';

/** An attempt whose process does not report within this long after its grace is taken for ended. */
export const STOPPING_SECONDS = 60;

/** What a report says of the attempt that it ends. */
export interface Ending {
  readonly failureClass?: FailureClass | null;
  readonly reason?: string | null;
  readonly result?: TaskResult | undefined;
  readonly usage?: Usage | undefined;
  readonly exitCode?: number | null | undefined;
  readonly conversation?: string | undefined;
  readonly reportSha256?: string;
}

/** Ends an attempt; its timers go with it. The task is moved by the caller. */
export function closeAttempt(
  draft: Draft,
  id: string,
  input: AttemptInput,
  to: AttemptStatus,
  ending: Ending = {},
): AttemptRow {
  if (ending.usage !== undefined) noteUsage(draft, id, ending.usage);
  const before = draft.get('attempts', id);
  const after = withAttempt(before, {
    status: nextAttemptStatus(before.status, input, to),
    failureClass: ending.failureClass ?? before.failureClass,
    reason: ending.reason ?? before.reason,
    result: ending.result ?? before.result,
    exitCode: ending.exitCode ?? before.exitCode,
    conversation: ending.conversation ?? before.conversation,
    reportSha256: ending.reportSha256 ?? before.reportSha256,
    endedAtMs: draft.nowMs,
  });
  draft.put('attempts', releaseFunds(draft, releasePlaces(draft, after)));
  draft.touchRun(after.runId);
  dropAttemptTimers(draft, before);
  if (before.status === 'stopping') releaseHold(draft, after);
  tellDrained(draft, after);
  return after;
}

/** A draining worker is drained when the last attempt that it held has ended. */
function tellDrained(draft: Draft, ended: AttemptRow): void {
  const worker = draft.find('workers', ended.workerId);
  if (worker?.draining !== true) return;
  if (draft.list('openAttemptsOfWorker', worker.id).some(takesSlot)) return;
  draft.event('worker.drained', { run: null }, { name: worker.name });
}

/** Ends an attempt from this side: its process is told, and has until the deadline to report. */
export function stopAttempt(
  draft: Draft,
  id: string,
  failureClass: FailureClass | null,
  reason: string,
  graceSeconds: number = DEFAULTS.termToKillSeconds,
): AttemptRow {
  const before = draft.get('attempts', id);
  dropAttemptTimers(draft, before);
  const after: AttemptRow = {
    ...before,
    status: nextAttemptStatus(before.status, 'stop', 'stopping'),
    failureClass,
    reason,
    missedBeats: 0,
  };
  draft.put('attempts', after);
  setTimer(draft, draft.get('tasks', after.taskId), {
    kind: 'stopping_deadline',
    dueAtMs: draft.nowMs + (graceSeconds + STOPPING_SECONDS) * 1_000,
    guard: after.epoch,
    attempt: id,
  });
  draft.event('attempt.stopping', aboutAttempt(after), {
    worker: after.workerId,
    reason,
    grace_seconds: graceSeconds,
    yields: isYield(after),
  });
  return after;
}

/** Ends a stopping attempt as what it was stopped for. A result that came too late is kept and told. */
export function closeStopped(draft: Draft, id: string, ending: Ending = {}): AttemptRow {
  const { failureClass, reason } = draft.get('attempts', id);
  const isTimeout = failureClass === 'timeout' || failureClass === 'idle_timeout';
  const status = failureClass === null ? 'released' : isTimeout ? 'timed_out' : 'cancelled';
  const closed = closeAttempt(draft, id, 'stopped', status, { ...ending, failureClass, reason });
  draft.event(`attempt.${status}`, aboutAttempt(closed), { reason });
  return ending.result === undefined ? closed : keepOrphan(draft, closed, ending.result);
}

/** Keeps a result that came when its attempt had been ended from this side; it counts if adopted. */
export function keepOrphan(draft: Draft, attempt: AttemptRow, result: TaskResult): AttemptRow {
  const kept: AttemptRow = { ...draft.get('attempts', attempt.id), orphanResult: result };
  draft.put('attempts', kept);
  draft.event('attempt.orphaned', aboutAttempt(kept), { reason: kept.reason, result });
  return kept;
}

/** Stops the open attempt of a task, if it has one. */
export function stopOpenAttempt(
  draft: Draft,
  attemptId: string | null,
  failureClass: FailureClass,
  reason: string,
): void {
  if (attemptId === null) return;
  if (isOpenAttempt(draft.get('attempts', attemptId).status)) {
    stopAttempt(draft, attemptId, failureClass, reason);
  }
}

/** Takes up what an attempt used so far; reports are cumulative. Costs are added to task and run. */
export function noteUsage(draft: Draft, id: string, usage: Usage): void {
  const attempt = draft.get('attempts', id);
  const added = usdMicrosOf(usage.usd) - usdMicrosOf(attempt.usage?.usd);
  draft.put('attempts', spend(draft, withAttempt(attempt, { usage }), added));
  if (added === 0) return;
  const task = draft.get('tasks', attempt.taskId);
  changeTask(draft, task.id, { usdMicros: Math.max(0, task.usdMicros + added) });
  const run = draft.get('runs', attempt.runId);
  draft.put('runs', withRun(run, { usdMicros: Math.max(0, run.usdMicros + added) }));
}

/** What events of an attempt are about. */
export function aboutAttempt(row: AttemptRow): { run: string; task: string; attempt: string } {
  return { run: row.runId, task: row.taskId, attempt: row.id };
}

function dropAttemptTimers(draft: Draft, attempt: AttemptRow): void {
  const { timeouts } = draft.get('taskSpecs', attempt.taskId).spec;
  const hasTimers =
    attempt.status === 'stopping' ||
    timeouts.run !== undefined ||
    timeouts.start !== undefined ||
    timeouts.idle !== undefined;
  if (!hasTimers) return;
  dropTimers(
    draft,
    attempt.taskId,
    ['start_timeout', 'run_timeout', 'idle_timeout', 'stopping_deadline'],
    attempt.id,
  );
}
