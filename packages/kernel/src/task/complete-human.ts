import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import type { TaskRow } from '../rows.ts';
import { moveTask } from './change-task.ts';

/** A human task's answer is its result; dependents see it as the summary of their upstream. */
export function completeHuman(draft: Draft, task: TaskRow, summary: string): void {
  moveTask(draft, task.id, 'complete', 'completed', { reason: summary });
  draft.event(
    'task.completed',
    { run: task.runId, task: task.id },
    { result: { status: 'success', summary } },
  );
  cascade(draft, [task.id]);
}
