import type { Draft } from '../draft.ts';
import type { TaskRow } from '../rows.ts';

interface Said {
  readonly text: string;
  readonly urgent: boolean;
  /** Worker whose live agent is to be told, or null. */
  readonly worker: string | null;
  readonly attempt: string | null;
}

/** Keeps a remark on a task and tells it. Answers its id. */
export function putNote(draft: Draft, task: TaskRow, said: Said): string {
  const { text, urgent, worker, attempt } = said;
  const author = draft.actor.name ?? draft.actor.id ?? draft.actor.kind;
  const id = draft.newId('note');
  draft.put('notes', {
    id,
    taskId: task.id,
    runId: task.runId,
    projectId: task.projectId,
    author,
    text,
    urgent,
    createdAtMs: draft.nowMs,
  });
  draft.event(
    'task.note_added',
    { run: task.runId, task: task.id, attempt },
    {
      worker,
      note: id,
      author,
      text,
      urgent,
    },
  );
  return id;
}
