import { isTerminalTask, type AwaitResult } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { lists, rows } from '../need.ts';
import type { TaskRow } from '../rows.ts';

/** Characters of all summaries that are delivered at once, and of one: they travel in one frame. */
const summaryCharsMax = 60_000;
const summaryCharsMaxEach = 4_000;

/** Whether a task will not move again: it has ended, or what it needs has failed for good. */
export function isOver(task: Pick<TaskRow, 'status' | 'outOfPlay'> | null): boolean {
  return task === null || isTerminalTask(task.status) || task.outOfPlay;
}

/** What tasks came to, in the order of the ids; those that are gone are left out. Loads what it reads. */
export function conclusionsOf(draft: Draft, ids: readonly string[]): AwaitResult[] {
  draft.load([...rows('tasks', ids), ...rows('taskSpecs', ids), ...lists('outputsOfTask', ids)]);
  const tasks = ids.flatMap((id) => draft.find('tasks', id) ?? []);
  draft.load(rows('attempts', tasks.map(tellingAttempt)));
  const charsMax = Math.min(
    summaryCharsMaxEach,
    Math.floor(summaryCharsMax / Math.max(1, tasks.length)),
  );
  return tasks.map((task) => conclusionOf(draft, task, charsMax));
}

/** The attempt whose result stands, else the newest one: why it failed. */
function tellingAttempt(task: TaskRow): string | null {
  return task.resultAttemptId ?? task.attemptId;
}

function conclusionOf(draft: Draft, task: TaskRow, charsMax: number): AwaitResult {
  const id = tellingAttempt(task);
  const attempt = id === null ? null : draft.get('attempts', id);
  const hasEnded = isTerminalTask(task.status);
  const result = hasEnded ? (attempt?.result ?? null) : null;
  return {
    // A client's own id is stored behind its project.
    task: task.id.slice(task.id.indexOf('.') + 1),
    key: task.key,
    title: draft.get('taskSpecs', task.id).title,
    status: task.status,
    result: result?.status ?? null,
    summary: cut(result?.summary ?? '', charsMax),
    failure_class: task.failureClass,
    reason: task.reason === null ? null : cut(task.reason, charsMax),
    outputs: draft
      .list('outputsOfTask', task.id)
      .filter((it) => it.generation === task.generation && hasEnded)
      .map((it) => it.key),
    commit: result?.commit ?? null,
  };
}

function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`;
}
