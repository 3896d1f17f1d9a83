import { fence } from '../attempt/fence.ts';
import { row } from '../need.ts';
import { putNote } from '../task/put-note.ts';
import type { Handler } from './handler.ts';

/** The agent leaves a remark on its task. */
export const attemptNote: Handler<'attempt.note'> = (draft, command) => {
  const attempt = fence(draft, command);
  if ('refused' in attempt) return attempt;
  draft.load([row('runs', attempt.runId)]);
  const note = putNote(draft, draft.get('tasks', attempt.taskId), {
    text: command.body.text,
    urgent: false,
    worker: null,
    attempt: attempt.id,
  });
  return { note, attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
};
