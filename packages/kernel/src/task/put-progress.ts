import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import { changeTask } from './change-task.ts';

/** Writes and tells how far a task is, if that is news; the last one wins. */
export function putProgress(
  draft: Draft,
  taskId: string,
  attempt: string | null,
  said: { readonly percent?: number | null | undefined; readonly text: string },
): void {
  const task = draft.get('tasks', taskId);
  const percent = said.percent ?? null;
  if (task.progress?.text === said.text && task.progress.percent === percent) return;
  changeTask(draft, taskId, {
    progress: { percent, text: said.text, at: isoOf(draft.nowMs) },
    // An attempt that gets somewhere breaks a row of attempts that did not.
    freeRetries: attempt === null ? task.freeRetries : 0,
  });
  draft.event(
    'task.progressed',
    { run: task.runId, task: taskId, attempt },
    {
      percent,
      text: said.text,
    },
  );
}
