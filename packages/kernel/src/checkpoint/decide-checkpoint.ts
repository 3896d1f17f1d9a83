import { isOpenAttempt, type CheckpointResolve, type Resolution } from '@baton/contract';
import { nextAttemptStatus } from '../attempt/attempt-machine.ts';
import { aboutAttempt } from '../attempt/close-attempt.ts';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { isoOf } from '../iso-time.ts';
import { rows } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { CheckpointRow, TaskRow } from '../rows.ts';
import { changeTask, moveTask } from '../task/change-task.ts';
import { cancelTasks, failTask } from '../task/end-task.ts';
import { makeReady } from '../task/make-ready.ts';
import { offerTask } from '../task/offer-task.ts';
import { closeCheckpoint } from './close-checkpoint.ts';

/** Decides a checkpoint: the first decision wins, and whoever comes later is shown it. */
export function decideCheckpoint(
  draft: Draft,
  checkpoint: CheckpointRow,
  body: CheckpointResolve,
  via: string,
): Refused | null {
  if (checkpoint.status !== 'open') return refuseClosed(checkpoint);
  const by = draft.actor.name ?? draft.actor.id ?? draft.actor.kind;
  const said = { reason: body.reason ?? null, by, via: body.via ?? via, at: isoOf(draft.nowMs) };
  const { options, defaultOption } = checkpoint;
  if (body.use_default === true) {
    if (defaultOption === null) {
      return refuse('invalid_option', `This checkpoint has no default; ${sayChoices(checkpoint)}`);
    }
    settle(draft, checkpoint, 'resolve', { option: defaultOption, use_default: true, ...said });
    return null;
  }
  if (body.option !== undefined) {
    if (!options.includes(body.option)) {
      return refuse(
        'invalid_option',
        `${body.option} is no option of this checkpoint; ${sayChoices(checkpoint)}`,
        { options },
      );
    }
    settle(draft, checkpoint, 'resolve', { option: body.option, ...said });
    return null;
  }
  if (!checkpoint.freeform || body.text === undefined) {
    return refuse('invalid_option', `This checkpoint takes no text; ${sayChoices(checkpoint)}`, {
      options,
    });
  }
  settle(draft, checkpoint, 'resolve', { text: body.text, ...said });
  return null;
}

/** The deadline of an open checkpoint has come. */
export function expireCheckpoint(draft: Draft, checkpoint: CheckpointRow): void {
  const { onTimeout, defaultOption, taskId } = checkpoint;
  if (onTimeout === 'use_default' && defaultOption !== null) {
    settle(draft, checkpoint, 'expire', {
      option: defaultOption,
      use_default: true,
      reason: null,
      by: 'timeout',
      via: 'timeout',
      at: isoOf(draft.nowMs),
    });
  } else if (onTimeout === 'fail') {
    if (taskId !== null) loadTask(draft, checkpoint, taskId);
    closeCheckpoint(draft, checkpoint.id, 'expire', null);
    if (taskId !== null) failTask(draft, taskId, 'timeout', 'nobody answered in time');
  }
}

function refuseClosed(checkpoint: CheckpointRow): Refused {
  const { resolution, status, id } = checkpoint;
  const winner = resolution?.option ?? resolution?.text;
  const how =
    winner === undefined ? `was ${status}` : `was decided by ${resolution?.by ?? '?'}: ${winner}`;
  return refuse('checkpoint_closed', `Checkpoint ${id} ${how}; that stands.`, {
    status,
    ...(winner === undefined ? {} : { decision: winner, by: resolution?.by ?? '' }),
  });
}

function sayChoices({ options, freeform }: CheckpointRow): string {
  if (options.length === 0) return 'answer in words.';
  return `choose one of ${options.join(', ')}${freeform ? ', or answer in words' : ''}.`;
}

function loadTask(draft: Draft, checkpoint: CheckpointRow, taskId: string): void {
  draft.load([
    ...rows('tasks', [taskId]),
    ...rows('taskSpecs', [taskId]),
    ...rows('runs', [checkpoint.runId]),
    ...rows('attempts', [checkpoint.attemptId]),
  ]);
}

/** Writes the decision and lets its task go on by it. */
function settle(
  draft: Draft,
  checkpoint: CheckpointRow,
  input: 'resolve' | 'expire',
  resolution: Resolution,
): void {
  const { taskId } = checkpoint;
  if (taskId === null) {
    closeCheckpoint(draft, checkpoint.id, input, resolution);
    return;
  }
  loadTask(draft, checkpoint, taskId);
  closeCheckpoint(draft, checkpoint.id, input, resolution);
  const task = draft.get('tasks', taskId);
  if (checkpoint.kind === 'dispatch_approval') settleApproval(draft, task, resolution);
  else if (task.kind === 'human') completeHuman(draft, task, resolution);
  else if (checkpoint.attemptId === null) goOnReady(draft, task, resolution);
  else resumeLive(draft, task, checkpoint.attemptId);
}

function settleApproval(draft: Draft, task: TaskRow, resolution: Resolution): void {
  const about = { run: task.runId, task: task.id };
  if (resolution.option !== 'approve') {
    cancelTasks(draft, [task.id], () => resolution.reason ?? 'rejected');
    return;
  }
  changeTask(draft, task.id, { approved: true });
  draft.event('task.approved', about, { reason: resolution.reason });
  makeReady(draft, task.id, 'approve');
}

/** A human task's answer is its result; dependents see it as the summary of their upstream. */
function completeHuman(draft: Draft, task: TaskRow, resolution: Resolution): void {
  const summary = resolution.text ?? resolution.option ?? '';
  moveTask(draft, task.id, 'complete', 'completed', { reason: summary });
  draft.event(
    'task.completed',
    { run: task.runId, task: task.id },
    {
      result: { status: 'success', summary },
    },
  );
  cascade(draft, [task.id]);
}

/** A task that waited without an agent goes back into the queue, the answer in its prompt. */
function goOnReady(draft: Draft, task: TaskRow, resolution: Resolution): void {
  changeTask(draft, task.id, { feedback: resolution.text ?? resolution.option ?? null });
  draft.event('task.resumed', { run: task.runId, task: task.id }, {});
  offerTask(draft, task.id, 'resume');
}

function resumeLive(draft: Draft, task: TaskRow, attemptId: string): void {
  const attempt = draft.get('attempts', attemptId);
  if (!isOpenAttempt(attempt.status)) return;
  draft.put('attempts', {
    ...attempt,
    status: nextAttemptStatus(attempt.status, 'resume', 'running'),
  });
  moveTask(draft, task.id, 'resume', 'running', { reason: null });
  draft.event('attempt.resumed', aboutAttempt(attempt), {});
  draft.event('task.resumed', aboutAttempt(attempt), {});
}
