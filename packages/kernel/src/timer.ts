import type { Draft } from './draft.ts';
import type { RunRow, TaskRow, TimerKind } from './rows.ts';

/** Timers of a task that waits in the queue; they end with the waiting. */
export const QUEUE_TIMERS: readonly TimerKind[] = [
  'retry_backoff',
  'queue_timeout',
  'continue_timeout',
];

interface TimerSettings {
  readonly kind: TimerKind;
  readonly dueAtMs: number;
  /** Epoch or generation that it is set for. */
  readonly guard: number;
  readonly attempt?: string;
  readonly checkpoint?: string;
}

/** Sets a timer of a task. */
export function setTimer(draft: Draft, task: TaskRow, timer: TimerSettings): void {
  draft.put('timers', {
    id: draft.newId('timer'),
    projectId: task.projectId,
    runId: task.runId,
    taskId: task.id,
    attemptId: timer.attempt ?? null,
    checkpointId: timer.checkpoint ?? null,
    kind: timer.kind,
    guard: timer.guard,
    dueAtMs: Math.round(timer.dueAtMs),
  });
}

/** Sets a timer of a run as a whole. */
export function setRunTimer(
  draft: Draft,
  run: RunRow,
  timer: Omit<TimerSettings, 'attempt'>,
): void {
  draft.put('timers', {
    id: draft.newId('timer'),
    projectId: run.projectId,
    runId: run.id,
    taskId: null,
    attemptId: null,
    checkpointId: timer.checkpoint ?? null,
    kind: timer.kind,
    guard: timer.guard,
    dueAtMs: Math.round(timer.dueAtMs),
  });
}

/**
 * Takes away timers of a task that have nothing more to wait for. Only called where such a timer was
 * set, because it reads the task's timers.
 */
export function dropTimers(
  draft: Draft,
  taskId: string,
  kinds: readonly TimerKind[],
  attempt?: string,
): void {
  for (const timer of draft.list('timersOfTask', taskId)) {
    const isMeant = attempt === undefined || timer.attemptId === attempt;
    if (isMeant && kinds.includes(timer.kind)) draft.remove('timers', timer.id);
  }
}
