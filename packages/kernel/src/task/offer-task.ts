import type { Draft } from '../draft.ts';
import { judgeBlocked } from '../graph/judge-blocked.ts';
import { moveTask } from './change-task.ts';
import { makeReady } from './make-ready.ts';

/** Hands a task out again, unless an upstream was redone meanwhile: then it is blocked by it. */
export function offerTask(
  draft: Draft,
  id: string,
  input: 'offer' | 'resume',
  hold: Parameters<typeof makeReady>[3] = null,
): void {
  const { pending, runId } = draft.get('tasks', id);
  if (pending === 0) {
    makeReady(draft, id, input, hold);
    return;
  }
  moveTask(draft, id, input, 'ready', { reason: null });
  moveTask(draft, id, 'block', 'blocked', { reason: null });
  draft.event('task.blocked', { run: runId, task: id }, { reason: null });
  judgeBlocked(draft, id);
}
