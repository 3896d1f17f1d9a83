import { openCheckpoint, tellNeedsHuman, type Question } from '../checkpoint/open-checkpoint.ts';
import { onTimeoutOf, questionFault, refuseSecond } from '../checkpoint/question-faults.ts';
import { row } from '../need.ts';
import { refuse } from '../refuse.ts';
import { moveTask } from '../task/change-task.ts';
import { dropTimers, QUEUE_TIMERS } from '../timer.ts';
import { parkOn } from './attempt-checkpoint.ts';
import type { Handler } from './handler.ts';

/** A question on a task from outside: its running agent waits, or it is kept from starting. */
export const checkpointOpen: Handler<'checkpoint.open'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  if (task.checkpointId !== null) return refuseSecond(task);
  const { body } = command;
  const fault = questionFault(body);
  if (fault !== null) return fault;
  draft.load([row('taskSpecs', task.id), row('runs', task.runId)]);
  const question: Question = {
    kind: body.kind,
    question: body.question,
    context: body.context,
    options: body.options,
    freeform: body.freeform ?? true,
    defaultOption: body.default ?? null,
    timeoutSeconds: body.timeout_seconds,
    onTimeout: onTimeoutOf(body),
    answerBy: body.kind === 'review' ? 'human' : body.answer_by,
    resume: body.resume,
  };
  const reply = { task: task.id, run: task.runId };
  const attempt = task.attemptId === null ? null : draft.get('attempts', task.attemptId);
  if (task.status === 'running' && attempt?.status === 'running') {
    return {
      ...reply,
      attempt: attempt.id,
      checkpoint: parkOn(draft, task, attempt, question, false),
    };
  }
  if (task.status !== 'ready') {
    return refuse(
      'wrong_status',
      `Task ${task.key} is ${task.status}; a question can be put to one that is ready or whose agent runs.`,
      { status: task.status },
    );
  }
  const { timeouts } = draft.get('taskSpecs', task.id).spec;
  const hasTimers =
    task.retryAtMs !== null || task.continueAttemptId !== null || timeouts.queue !== undefined;
  if (hasTimers) {
    dropTimers(draft, task.id, QUEUE_TIMERS);
  }
  const waiting = moveTask(draft, task.id, 'park', 'waiting', {
    reason: body.kind,
    retryAtMs: null,
  });
  const opened = openCheckpoint(draft, waiting, { ...question, resume: 'new_attempt' });
  tellNeedsHuman(draft, opened);
  return { ...reply, checkpoint: opened.id };
};
