import { isOpenAttempt } from '@baton/contract';
import { isHeld } from '../attempt/slots.ts';
import type { Reply } from '../decision.ts';
import type { Draft } from '../draft.ts';
import { refuse } from '../refuse.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { putNote } from '../task/put-note.ts';
import type { Handler } from './handler.ts';

/** A person leaves a remark on a task; a live agent is told. */
export const taskNote: Handler<'task.note'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  return remark(draft, task, command.text, command.urgent);
};

/** Words for the agent itself: pushed to it while it lives, else in the prompt of the next one. */
export const taskMessage: Handler<'task.message'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  return remark(draft, task, command.text, true);
};

function remark(draft: Draft, task: TaskRow, text: string, urgent: boolean): Reply {
  const live = liveAttempt(draft, task);
  const note = putNote(draft, task, {
    text,
    urgent,
    worker: live?.workerId ?? null,
    attempt: live?.id ?? null,
  });
  return { note, task: task.id, run: task.runId, delivered: live !== null };
}

/** The attempt whose agent can be told something now, or null. */
export function liveAttempt(draft: Draft, task: TaskRow): AttemptRow | null {
  const attempt = task.attemptId === null ? null : draft.get('attempts', task.attemptId);
  return attempt !== null && isOpenAttempt(attempt.status) && !isHeld(attempt) ? attempt : null;
}
