import type { TaskSpec } from '@baton/contract';
import type { Draft } from '../draft.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';

/** What a task asks for, with the engine that did it: whoever repeats it uses the same one. */
export function repeatSpec(draft: Draft, task: TaskRow): TaskSpec {
  const { spec } = draft.get('taskSpecs', task.id);
  const engine = lastAttempt(draft, task)?.engine;
  return engine === undefined || spec.kind === 'command'
    ? spec
    : { ...spec, needs: { ...spec.needs, engine } };
}

/** Name of the worker that did a task, if it is still there, or of the one that was to do it. */
export function workerOf(draft: Draft, task: TaskRow): string | null {
  const attempt = lastAttempt(draft, task);
  const worker = attempt === null ? null : draft.find('workers', attempt.workerId);
  return worker?.name ?? task.assignedWorker;
}

function lastAttempt(draft: Draft, task: TaskRow): AttemptRow | null {
  const id = task.resultAttemptId ?? task.attemptId;
  return id === null ? null : draft.get('attempts', id);
}
