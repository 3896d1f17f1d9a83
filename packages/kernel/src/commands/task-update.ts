import {
  isOpenAttempt,
  isTerminalTask,
  PRIORITIES,
  type TaskSpec,
  type TaskUpdate,
} from '@baton/contract';
import { setAttemptTimers } from '../attempt/attempt-timers.ts';
import { closeCheckpoint } from '../checkpoint/close-checkpoint.ts';
import { tellNeedsHuman } from '../checkpoint/open-checkpoint.ts';
import type { Draft } from '../draft.ts';
import { rows } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { TaskRow, TaskSpecRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import { putReady } from '../task/make-ready.ts';
import { openApproval } from '../task/open-task.ts';
import { dropTimers, setTimer } from '../timer.ts';
import { setBudget } from './budget-set.ts';
import type { Handler } from './handler.ts';
import { liveAttempt } from './task-note.ts';

/** Fields that say something about a task without changing what it is to do. */
const DESCRIPTIVE: ReadonlySet<string> = new Set(['title', 'labels']);

/**
 * Changes what a task asks for. A live agent is told; an approval that was asked for before is asked for
 * again, because it was about something else.
 */
export const taskUpdate: Handler<'task.update'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const cold = draft.get('taskSpecs', task.id);
  const fields = changedFields(cold, command.body);
  const reply = { task: task.id, run: task.runId };
  if (fields.length === 0) return { ...reply, already: true };
  if (isTerminalTask(task.status) && fields.some((field) => !DESCRIPTIVE.has(field))) {
    return refuse(
      'wrong_status',
      `Task ${task.key} is ${task.status}; only its title and labels can change now. Retry or relaunch it first.`,
      { status: task.status },
    );
  }
  draft.load([
    ...rows('runs', [task.runId]),
    ...rows('attempts', [task.attemptId]),
    ...rows('checkpoints', [task.checkpointId]),
  ]);
  draft.put('taskSpecs', patched(cold, command.body));
  const { budgets } = command.body;
  if (budgets !== undefined && fields.includes('budgets')) {
    const owner = {
      id: task.id,
      projectId: task.projectId,
      scope: 'task',
      runId: task.runId,
    } as const;
    setBudget(draft, owner, { ...budgets, usd: budgets.usd ?? null }, task.usdMicros);
  }
  if (fields.includes('priority')) reprioritise(draft, task);
  if (fields.includes('timeouts')) rearm(draft, task, cold.spec);
  if (task.status === 'awaiting_approval') askAgain(draft, task);
  const live = liveAttempt(draft, task);
  draft.event(
    'task.updated',
    { run: task.runId, task: task.id, attempt: live?.id ?? null },
    { worker: live?.workerId ?? null, fields },
  );
  return { ...reply, delivered: live !== null };
};

function changedFields(cold: TaskSpecRow, body: TaskUpdate): string[] {
  return Object.entries(body)
    .filter(([field, value]) => {
      if (value === undefined) return false;
      const now = field === 'title' ? cold.title : cold.spec[field as keyof TaskSpec];
      return JSON.stringify(now) !== JSON.stringify(value);
    })
    .map(([field]) => field);
}

function patched(cold: TaskSpecRow, body: TaskUpdate): TaskSpecRow {
  const given = Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined),
  ) as Partial<TaskSpec>;
  return { ...cold, title: body.title ?? cold.title, spec: { ...cold.spec, ...given } };
}

/** A ready task gets a new place in the queue, at the end of its class. */
function reprioritise(draft: Draft, task: TaskRow): void {
  const { spec } = draft.get('taskSpecs', task.id);
  const now = changeTask(draft, task.id, { priority: PRIORITIES.indexOf(spec.priority) });
  if (task.status !== 'ready') return;
  const { held } = draft.get('ready', task.id);
  putReady(draft, now, held);
}

/** New timeouts count from when the old ones did. */
function rearm(draft: Draft, task: TaskRow, before: TaskSpec): void {
  const { timeouts } = draft.get('taskSpecs', task.id).spec;
  if (task.status === 'ready') {
    if (before.timeouts.queue !== undefined) dropTimers(draft, task.id, ['queue_timeout']);
    if (timeouts.queue === undefined) return;
    setTimer(draft, task, {
      kind: 'queue_timeout',
      dueAtMs: (task.readyAtMs ?? draft.nowMs) + timeouts.queue * 1_000,
      guard: task.generation,
    });
    return;
  }
  const attempt = task.attemptId === null ? null : draft.get('attempts', task.attemptId);
  if (attempt === null || !isOpenAttempt(attempt.status)) return;
  if (Object.keys(before.timeouts).length > 0) {
    dropTimers(draft, task.id, ['start_timeout', 'run_timeout', 'idle_timeout'], attempt.id);
  }
  setAttemptTimers(draft, task, attempt);
}

/** The approval that is open was asked for with other facts: it gives way to one with these. */
function askAgain(draft: Draft, task: TaskRow): void {
  if (task.checkpointId !== null) {
    closeCheckpoint(draft, task.checkpointId, 'supersede', null, 'the task was changed');
  }
  const { title, spec } = draft.get('taskSpecs', task.id);
  tellNeedsHuman(draft, openApproval(draft, draft.get('tasks', task.id), title, spec));
}
