import { isTerminalTask } from '@baton/contract';
import { row } from '../need.ts';
import { refuse } from '../refuse.ts';
import { loadLives } from '../task/end-task.ts';
import { pauseTask } from '../task/pause-task.ts';
import type { Handler } from './handler.ts';
import { refuseCheck } from './task-retry.ts';

/** Suspends a task: its agent is stopped, nobody takes it, until it is resumed. */
export const taskPause: Handler<'task.pause'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const check = refuseCheck(task, 'paused');
  if (check !== null) return check;
  const reply = { task: task.id, run: task.runId };
  if (task.status === 'paused') return { ...reply, already: true };
  if (isTerminalTask(task.status)) {
    return refuse(
      'wrong_status',
      `Task ${task.key} is ${task.status} already; there is nothing to pause.`,
      { status: task.status },
    );
  }
  if (task.outOfPlay) {
    return refuse(
      'wrong_status',
      `Task ${task.key} cannot start as things are (${task.reason ?? 'out of play'}); there is nothing to pause.`,
      { status: task.status },
    );
  }
  draft.load([row('runs', task.runId)]);
  loadLives(draft, [task.id]);
  pauseTask(draft, task.id, command.reason ?? 'paused');
  return reply;
};
