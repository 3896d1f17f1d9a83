import type { Draft } from '../draft.ts';
import type { TaskRow } from '../rows.ts';
import { setTimer } from '../timer.ts';
import { moveTask } from './change-task.ts';
import type { TaskInput } from './task-machine.ts';

/** Why a ready task may not be taken yet. */
export type Hold = 'backoff' | 'rate_limited' | 'waiting_for_assignment';

/** Makes a task claimable, or held for a reason, and tells so. */
export function makeReady(
  draft: Draft,
  id: string,
  input: TaskInput,
  hold: { readonly held: Hold; readonly untilMs: number } | null = null,
): TaskRow {
  const { spec } = draft.get('taskSpecs', id);
  const before = draft.get('tasks', id);
  const held = hold?.held ?? holdOf(spec.dispatch, before.assignedWorker);
  const task = moveTask(draft, id, input, 'ready', {
    reason: held,
    retryAtMs: hold?.untilMs ?? null,
    readyAtMs: draft.nowMs,
  });
  putReady(draft, task, held);
  draft.event('task.ready', { run: task.runId, task: id }, { reason: held });
  if (hold !== null) {
    setTimer(draft, task, { kind: 'retry_backoff', dueAtMs: hold.untilMs, guard: task.generation });
  }
  if (spec.timeouts.queue !== undefined) {
    setTimer(draft, task, {
      kind: 'queue_timeout',
      dueAtMs: draft.nowMs + spec.timeouts.queue * 1_000,
      guard: task.generation,
    });
  }
  return task;
}

/** Why a task that nothing else holds back may not be taken yet. */
export function holdOf(dispatch: 'auto' | 'manual', assignedWorker: string | null): Hold | null {
  return dispatch === 'manual' && assignedWorker === null ? 'waiting_for_assignment' : null;
}

/** Puts the queue's row of a ready task; a new place at the end of its priority. */
export function putReady(draft: Draft, task: TaskRow, held: string | null): void {
  draft.put('ready', {
    taskId: task.id,
    runId: task.runId,
    projectId: task.projectId,
    needsId: task.needsId,
    priority: task.priority,
    pass: 0,
    seq: draft.context.nextSeq(),
    held,
  });
}
