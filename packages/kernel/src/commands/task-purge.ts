import { row } from '../need.ts';
import type { Handler } from './handler.ts';
import { deleteTask } from './task-delete.ts';

/**
 * Deletes a task and has everything of it taken away: attempts, logs, files, history. What is not there
 * any more is purged already.
 */
export const taskPurge: Handler<'task.purge'> = (draft, command) => {
  const task = draft.find('tasks', command.task);
  if (task === null || task.projectId !== draft.project) return { already: true };
  const reply = { task: task.id, run: task.runId };
  if (task.purgeAtMs !== null) return { ...reply, already: true };
  draft.load([row('runs', task.runId)]);
  if (task.deletedAtMs === null) {
    const fault = deleteTask(draft, task, 'purged');
    if (fault !== null) return fault;
  }
  const gone = draft.get('tasks', task.id);
  draft.put('tasks', { ...gone, purgeAtMs: draft.nowMs, updatedAtMs: draft.nowMs });
  draft.event('task.purged', { run: null }, { task: task.id });
  return reply;
};
