import { isTerminalTask, type CheckpointResolve, type Resolution } from '@baton/contract';
import { nextAttemptStatus } from '../attempt/attempt-machine.ts';
import { aboutAttempt } from '../attempt/close-attempt.ts';
import { isHeld } from '../attempt/slots.ts';
import { continueTask, type Wake } from '../attempt/continuation.ts';
import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import { list, rows } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { CheckpointRow, TaskRow } from '../rows.ts';
import { UNANSWERED } from '../run/settle.ts';
import { changeTask, moveTask } from '../task/change-task.ts';
import { completeHuman } from '../task/complete-human.ts';
import { cancelTasks, failTask, loadLives } from '../task/end-task.ts';
import { makeReady } from '../task/make-ready.ts';
import { pauseTask } from '../task/pause-task.ts';
import { asksAboutResult, decideResult } from '../verification/verify.ts';
import { closeCheckpoint } from './close-checkpoint.ts';
import { decidePlan } from './plan-approval.ts';

/** Decides a checkpoint: the first decision wins, and whoever comes later is shown it. */
export function decideCheckpoint(
  draft: Draft,
  checkpoint: CheckpointRow,
  body: CheckpointResolve,
  via: string,
): Refused | null {
  if (checkpoint.status !== 'open') return refuseClosed(checkpoint);
  const fault = deciderFault(draft, checkpoint) ?? factsFault(checkpoint, body);
  if (fault !== null) return fault;
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
    if (taskId === null) failRun(draft, checkpoint.runId);
    else failTask(draft, taskId, 'timeout', 'nobody answered in time');
  }
}

/** What asks for a person is not decided by an agent, and none answers itself. */
function deciderFault(draft: Draft, checkpoint: CheckpointRow): Refused | null {
  if (draft.actor.kind !== 'agent') return null;
  if (checkpoint.answerBy === 'any' && checkpoint.attemptId !== draft.actor.id) return null;
  return refuse(
    'forbidden',
    `Checkpoint ${checkpoint.id} waits for a person; an agent cannot decide it.`,
  );
}

/** Who says what the decision is about decides exactly that, and nothing that came since. */
function factsFault(checkpoint: CheckpointRow, body: CheckpointResolve): Refused | null {
  const { facts_sha256: shown } = body;
  if (shown === undefined || shown === checkpoint.factsSha256) return null;
  return refuse(
    'facts_changed',
    `What checkpoint ${checkpoint.id} asks about is not what was shown; look at it again, then decide.`,
    { checkpoint: checkpoint.id, facts_sha256: checkpoint.factsSha256 ?? '' },
  );
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
  const isOfPlan = checkpoint.kind === 'plan_approval';
  if (isOfPlan && resolution.option === 'reject') {
    cancelTasks(draft, [task.id], () => resolution.reason ?? 'plan rejected');
    return;
  }
  if (isOfPlan) decidePlan(draft, task, resolution);
  if (checkpoint.kind === 'dispatch_approval') settleApproval(draft, task, resolution);
  else if (asksAboutResult(task, checkpoint)) settleResult(draft, task, resolution);
  else if (task.status === 'paused') noteAnswer(draft, task, checkpoint, resolution);
  else if (task.kind === 'human') {
    completeHuman(draft, task, resolution.text ?? resolution.option ?? '');
  } else if (waitsLive(draft, checkpoint)) resumeLive(draft, task, checkpoint.attemptId ?? '');
  else goOn(draft, task, checkpoint, resolution);
}

/** Whether the attempt that asked still waits with its process. */
function waitsLive(draft: Draft, { attemptId }: CheckpointRow): boolean {
  if (attemptId === null) return false;
  const attempt = draft.get('attempts', attemptId);
  return attempt.status === 'parked' && !isHeld(attempt);
}

/**
 * What a person says of a result settles it, also when its task was paused meanwhile. What is still to be
 * done then waits until it is resumed.
 */
function settleResult(draft: Draft, task: TaskRow, resolution: Resolution): void {
  const { id, status, reason } = task;
  if (status !== 'paused') {
    decideResult(draft, task, resolution);
    return;
  }
  moveTask(draft, id, 'resume', 'waiting', { reason: 'review' });
  draft.event('task.resumed', { run: task.runId, task: id }, {});
  decideResult(draft, draft.get('tasks', id), resolution);
  loadLives(draft, [id]);
  pauseTask(draft, id, reason ?? 'paused');
}

function settleApproval(draft: Draft, task: TaskRow, resolution: Resolution): void {
  const about = { run: task.runId, task: task.id };
  if (resolution.option !== 'approve') {
    cancelTasks(draft, [task.id], () => resolution.reason ?? 'rejected');
    return;
  }
  changeTask(draft, task.id, { approved: true });
  draft.event('task.approved', about, { reason: resolution.reason });
  if (task.status !== 'paused') makeReady(draft, task.id, 'approve');
}

/** What is decided while a task is paused is kept until it goes on. */
function noteAnswer(
  draft: Draft,
  task: TaskRow,
  checkpoint: CheckpointRow,
  resolution: Resolution,
): void {
  changeTask(draft, task.id, {
    feedback: resolution.text ?? resolution.option ?? null,
    wake: wakeOf(checkpoint, resolution),
  });
}

/**
 * A task whose agent has no process goes back into the queue: in its old conversation, or with the
 * answer in its prompt.
 */
function goOn(
  draft: Draft,
  task: TaskRow,
  checkpoint: CheckpointRow,
  resolution: Resolution,
): void {
  if (task.continueAttemptId === null) {
    changeTask(draft, task.id, { feedback: resolution.text ?? resolution.option ?? null });
  }
  draft.event('task.resumed', { run: task.runId, task: task.id }, {});
  continueTask(draft, task.id, 'resume', wakeOf(checkpoint, resolution));
}

/** What an agent is told of a decision that it did not wait for. */
function wakeOf({ id, kind, question }: CheckpointRow, resolution: Resolution): Wake {
  const { option = null, text = null, reason, by, via } = resolution;
  return {
    kind: kind === 'plan_approval' ? 'plan' : 'answer',
    checkpoint: id,
    question,
    answer: text ?? option,
    option,
    text,
    reason,
    by,
    timed_out: via === 'timeout',
  };
}

/** Nobody decided a barrier that must be decided: what has not ended of its run is cancelled. */
function failRun(draft: Draft, runId: string): void {
  draft.load([list('tasksOfRun', runId)]);
  const open = draft.list('tasksOfRun', runId).filter((it) => !isTerminalTask(it.status));
  draft.put('runs', { ...draft.get('runs', runId), reason: UNANSWERED });
  const inOrder = open.toSorted((a, b) => a.position - b.position).map((it) => it.id);
  cancelTasks(draft, inOrder, () => UNANSWERED);
  draft.touchRun(runId);
}

function resumeLive(draft: Draft, task: TaskRow, attemptId: string): void {
  const attempt = draft.get('attempts', attemptId);
  draft.put('attempts', {
    ...attempt,
    status: nextAttemptStatus(attempt.status, 'resume', 'running'),
    parkMode: null,
  });
  moveTask(draft, task.id, 'resume', 'running', { reason: null });
  draft.event('attempt.resumed', aboutAttempt(attempt), {});
  draft.event('task.resumed', aboutAttempt(attempt), {});
}
