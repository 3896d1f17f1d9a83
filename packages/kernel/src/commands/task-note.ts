import { isOpenAttempt } from '@baton/contract';
import { refuse } from '../refuse.ts';
import { putNote } from '../task/put-note.ts';
import type { Handler } from './handler.ts';

/** A person leaves a remark on a task; a live agent is told. */
export const taskNote: Handler<'task.note'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const attempt = task.attemptId === null ? null : draft.get('attempts', task.attemptId);
  const live = attempt !== null && isOpenAttempt(attempt.status) ? attempt : null;
  const note = putNote(draft, task, {
    text: command.text,
    urgent: command.urgent,
    worker: live?.workerId ?? null,
    attempt: live?.id ?? null,
  });
  return { note, task: task.id, run: task.runId };
};
