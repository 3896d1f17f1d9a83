import type { Draft } from '../draft.ts';
import { list, row } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { RunRow, TaskRow } from '../rows.ts';
import { moveRun, reopenRun } from '../run/settle.ts';
import { count } from '../task/change-task.ts';

/**
 * Moves a task that never started from its own run of one into the run of another single task, so that
 * an edge between them does not cross runs. The run it leaves ends.
 */
export function moveToRun(draft: Draft, task: TaskRow, runId: string): Refused | null {
  const from = draft.get('runs', task.runId);
  const to = draft.get('runs', runId);
  const fault = movingFault(task, from, to);
  if (fault !== null) return fault;
  draft.load([
    list('tasksOfRun', to.id),
    list('timersOfTask', task.id),
    list('notesOfTask', task.id),
    row('taskSpecs', task.id),
    ...(task.status === 'ready' ? [row('ready', task.id)] : []),
    ...(task.checkpointId === null ? [] : [row('checkpoints', task.checkpointId)]),
  ]);
  const keys = new Set(draft.list('tasksOfRun', to.id).map((it) => it.key));
  const moved: TaskRow = {
    ...task,
    runId: to.id,
    key: freeKey(task.key, keys),
    position: to.taskCount,
    planVersion: to.planVersion,
    updatedAtMs: draft.nowMs,
  };
  leave(draft, from, task, to.id);
  reopenRun(draft, to.id, `task_added:${moved.key}`);
  draft.put('tasks', moved);
  moveBelongings(draft, moved);
  const people = task.checkpointId === null ? 0 : 1;
  const joined = count(draft.get('runs', to.id), null, moved);
  draft.put('runs', {
    ...joined,
    taskCount: joined.taskCount + 1,
    needsHuman: joined.needsHuman + people,
  });
  draft.touchRun(to.id);
  const data = { fields: ['run'], from_run: from.id };
  draft.event('task.updated', { run: to.id, task: task.id }, data);
  return null;
}

function movingFault(task: TaskRow, from: RunRow, to: RunRow): Refused | null {
  if (from.planVersion !== 0 || from.taskCount !== 1 || to.planVersion !== 0) {
    return refuse(
      'cannot_move',
      `Dependencies never cross runs, and task ${task.key} cannot leave run ${from.id}: ` +
        'only single tasks move. Create it anew with depends_on.',
      { from: from.id, to: to.id },
    );
  }
  const isOpen = to.status !== 'cancelling' && to.barrierId === null;
  if (task.attemptId === null && isOpen) return null;
  return refuse(
    'cannot_move',
    `Task ${task.key} has been worked on in run ${from.id} and stays there. Create it anew with depends_on.`,
    { from: from.id, to: to.id },
  );
}

function leave(draft: Draft, from: RunRow, task: TaskRow, to: string): void {
  draft.put('runs', {
    ...count(from, task, null),
    taskCount: 0,
    needsHuman: 0,
  });
  moveRun(draft, from.id, 'end', 'cancelled', { reason: `moved_to:${to}` });
  draft.event('run.cancelled', { run: from.id }, { reason: `moved_to:${to}` });
}

function moveBelongings(draft: Draft, task: TaskRow): void {
  const { id, runId } = task;
  draft.put('taskSpecs', { ...draft.get('taskSpecs', id), runId });
  if (task.status === 'ready') draft.put('ready', { ...draft.get('ready', id), runId });
  if (task.checkpointId !== null) {
    draft.put('checkpoints', { ...draft.get('checkpoints', task.checkpointId), runId });
  }
  for (const timer of draft.list('timersOfTask', id)) draft.put('timers', { ...timer, runId });
  for (const note of draft.list('notesOfTask', id)) draft.put('notes', { ...note, runId });
}

/** The key, or the same with the first number that makes it one nobody has. */
export function freeKey(key: string, taken: ReadonlySet<string>): string {
  if (!taken.has(key)) return key;
  let number = 2;
  while (taken.has(`${key.slice(0, 56)}-${number}`)) number += 1;
  return `${key.slice(0, 56)}-${number}`;
}
