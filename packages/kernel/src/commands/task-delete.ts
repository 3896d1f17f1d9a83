import { isTerminalTask } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { list, row, rows } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { TaskRow } from '../rows.ts';
import { hideTask } from '../task/change-task.ts';
import { cancelTasks, downstreamOf } from '../task/end-task.ts';
import type { Handler } from './handler.ts';
import { refuseCheck } from './task-retry.ts';
import { CANCELLED_WITH } from './task-cancel.ts';

/** Cancels a task with what needs its success, if it has not ended, and takes it out of its run. */
export const taskDelete: Handler<'task.delete'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const fault = deleteTask(draft, task, command.reason);
  return fault ?? { task: task.id, run: task.runId };
};

/** Does it, or says why a task cannot go. */
export function deleteTask(draft: Draft, task: TaskRow, reason: string | null): Refused | null {
  const check = refuseCheck(task, 'deleted');
  if (check !== null) return check;
  draft.load([
    row('runs', task.runId),
    row('taskSpecs', task.id),
    list('edgesOut', task.id),
    list('edgesIn', task.id),
  ]);
  if (draft.get('runs', task.runId).deliveryOrder?.task === task.id) {
    return refuse(
      'wrong_status',
      `The commit of task ${task.key} is being delivered; wait for it.`,
    );
  }
  if (isTerminalTask(task.status)) {
    const waiting = openDependents(draft, task.id);
    if (waiting.length > 0) {
      const keys = waiting.map((it) => it.key);
      return refuse(
        'wrong_status',
        `Task ${task.key} cannot go while ${keys.join(', ')} may need it: cancel or delete that first.`,
        { tasks: keys },
      );
    }
  } else {
    const why = reason ?? 'deleted';
    const reasonOf = (it: TaskRow): string =>
      it.id === task.id ? why : `${CANCELLED_WITH}${task.key}`;
    cancelTasks(draft, downstreamOf(draft, task.id), reasonOf);
    // What waited for it to fail, and is paused, would wait for ever.
    cancelTasks(draft, unmetDependents(draft, task.id), reasonOf);
  }
  for (const edge of [...draft.list('edgesIn', task.id), ...draft.list('edgesOut', task.id)]) {
    draft.remove('dependencies', edge.id);
  }
  hideTask(draft, task.id);
  draft.event('task.deleted', { run: task.runId, task: task.id }, { key: task.key, reason });
  return null;
}

function unmetDependents(draft: Draft, id: string): string[] {
  const unmet = draft.list('edgesOut', id).filter((edge) => isRequired(edge) && !edge.satisfied);
  const ids = new Set(unmet.map((edge) => edge.downstreamId));
  return openDependents(draft, id)
    .map((it) => it.id)
    .filter((it) => ids.has(it));
}

function openDependents(draft: Draft, id: string): TaskRow[] {
  const ids = draft
    .list('edgesOut', id)
    .filter(isRequired)
    .map((edge) => edge.downstreamId);
  draft.load(rows('tasks', ids));
  return [...new Set(ids)]
    .map((it) => draft.get('tasks', it))
    .filter((it) => !isTerminalTask(it.status));
}
