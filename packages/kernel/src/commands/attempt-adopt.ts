import { isOpenAttempt, isTerminalTask } from '@baton/contract';
import { aboutAttempt } from '../attempt/close-attempt.ts';
import { rescanRun } from '../graph/rescan.ts';
import { row, rows } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { reopenRun } from '../run/settle.ts';
import { leaveLife, loadLives } from '../task/end-task.ts';
import { finishTask } from '../task/finish-task.ts';
import { loadRun, reviveDependents } from '../task/redo-task.ts';
import { TASK_MACHINE } from '../task/task-machine.ts';
import { loadForEnd, takeContracts } from './attempt-complete.ts';
import type { Draft } from '../draft.ts';
import type { Refused } from '../refuse.ts';
import type { Handler } from './handler.ts';
import { forgetFailure } from './task-retry.ts';

/**
 * A person takes a result that came when its attempt had been given up. Its task completes, unless
 * somebody has begun it anew; the person stands in for a verification.
 */
export const attemptAdopt: Handler<'attempt.adopt'> = (draft, command) => {
  const attempt = draft.own('attempts', command.attempt);
  if (attempt === null) return refuse('not_found', `There is no attempt ${command.attempt}.`);
  draft.load([row('tasks', attempt.taskId), row('runs', attempt.runId)]);
  const task = draft.own('tasks', attempt.taskId);
  if (task === null || draft.own('runs', attempt.runId) === null) {
    return refuse('not_found', `There is no attempt ${command.attempt}.`);
  }
  const reply = { attempt: attempt.id, task: task.id, run: task.runId };
  if (task.status === 'completed' && task.resultAttemptId === attempt.id) {
    return { ...reply, already: true };
  }
  if (task.verifies !== null) {
    return refuse(
      'wrong_status',
      `Attempt ${attempt.id} only checked another task; a late verdict is not taken.`,
    );
  }
  const fault = findFault(draft, attempt, task);
  if (fault !== null) return fault;
  loadForEnd(draft, attempt);
  loadLives(draft, [task.id]);
  const result = attempt.orphanResult;
  if (result === null) return refuse('wrong_status', `Attempt ${attempt.id} left no result.`);
  const violation = takeContracts(draft, attempt, result);
  if (violation !== null) return violation;
  loadRun(draft, task.runId);
  const wasEnded = isTerminalTask(task.status);
  reopenRun(draft, task.runId, `result_adopted:${task.key}`);
  leaveLife(draft, task.id, 'cancelled', 'an earlier result was adopted');
  const adopted: AttemptRow = { ...draft.get('attempts', attempt.id), result };
  draft.put('attempts', adopted);
  draft.event('attempt.adopted', aboutAttempt(adopted), { reason: command.reason });
  if (wasEnded) reviveDependents(draft, task.id, 'result_adopted', true);
  finishTask(draft, adopted, 'adopt');
  if (wasEnded) rescanRun(draft, task.runId);
  forgetFailure(draft, task.runId);
  return reply;
};

function findFault(draft: Draft, attempt: AttemptRow, task: TaskRow): Refused | null {
  if (attempt.orphanResult === null) {
    return refuse('wrong_status', `Attempt ${attempt.id} left no result that came too late.`, {
      attempt_status: attempt.status,
    });
  }
  const { status } = attempt.orphanResult;
  if (status !== 'success' && status !== 'partial') {
    return refuse('wrong_status', `The late result of attempt ${attempt.id} is ${status}.`);
  }
  if (draft.get('runs', task.runId).status === 'cancelling') {
    return refuse('wrong_status', `Run ${task.runId} is being cancelled; wait until it has ended.`);
  }
  draft.load(rows('attempts', [task.attemptId]));
  const newest = task.attemptId === null ? null : draft.get('attempts', task.attemptId);
  const isSuperseded =
    attempt.generation !== task.generation ||
    (newest !== null && newest.id !== attempt.id && newest.startedAtMs !== null);
  if (isSuperseded) {
    return refuse(
      'wrong_status',
      `Task ${task.key} was begun anew after attempt ${attempt.id}; its late result cannot be taken any more.`,
      { status: task.status },
    );
  }
  const isLive = newest !== null && isOpenAttempt(newest.status) && newest.id === attempt.id;
  if (!isLive && TASK_MACHINE[task.status].adopt.length > 0) return null;
  return refuse('wrong_status', `Task ${task.key} is ${task.status}; no result can be adopted.`, {
    status: task.status,
  });
}
