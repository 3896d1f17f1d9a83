import { aboutAttempt } from '../attempt/close-attempt.ts';
import { nextAttemptStatus } from '../attempt/attempt-machine.ts';
import { fence } from '../attempt/fence.ts';
import { openCheckpoint, tellNeedsHuman } from '../checkpoint/open-checkpoint.ts';
import { onTimeoutOf, questionFault, refuseSecond } from '../checkpoint/question-faults.ts';
import type { Draft } from '../draft.ts';
import { list, row } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { moveTask } from '../task/change-task.ts';
import type { Question } from '../checkpoint/open-checkpoint.ts';
import type { Handler } from './handler.ts';

/** The agent asks and waits in its call. Asked again with the same client id, it is the same question. */
export const attemptCheckpoint: Handler<'attempt.checkpoint'> = (draft, command) => {
  const attempt = fence(draft, command);
  if ('refused' in attempt) return attempt;
  const { body } = command;
  const reply = { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  draft.load([
    list('checkpointsOfAttempt', attempt.id),
    row('taskSpecs', attempt.taskId),
    row('runs', attempt.runId),
  ]);
  const known = draft
    .list('checkpointsOfAttempt', attempt.id)
    .find((it) => body.client_id !== undefined && it.clientId === body.client_id);
  if (known !== undefined) return { ...reply, checkpoint: known.id, already: true };
  const task = draft.get('tasks', attempt.taskId);
  if (task.checkpointId !== null) return refuseSecond(task);
  if (attempt.status !== 'running') {
    return refuse(
      'wrong_status',
      `Attempt ${attempt.id} is ${attempt.status}; start it, then ask.`,
    );
  }
  if (body.resume !== 'live') {
    return refuse('not_supported', `An agent that asks waits for the answer: use resume live.`);
  }
  const fault = questionFault(body);
  if (fault !== null) return fault;
  const checkpoint = parkOn(draft, task, attempt, {
    kind: body.kind,
    question: body.question,
    context: body.context,
    options: body.options,
    freeform: body.freeform ?? body.options.length === 0,
    defaultOption: body.default ?? null,
    timeoutSeconds: body.timeout_seconds,
    onTimeout: onTimeoutOf(body),
    answerBy: body.answer_by,
    resume: 'live',
    clientId: body.client_id,
  });
  return { ...reply, checkpoint };
};

/** Opens a question of a running attempt, which waits alive. Answers the checkpoint's id. */
export function parkOn(draft: Draft, task: TaskRow, attempt: AttemptRow, asked: Question): string {
  const row = openCheckpoint(draft, task, { ...asked, attempt: attempt.id });
  draft.put('attempts', {
    ...attempt,
    status: nextAttemptStatus(attempt.status, 'park', 'parked'),
  });
  moveTask(draft, task.id, 'park', 'waiting', { reason: row.kind });
  draft.event('attempt.parked', aboutAttempt(attempt), { reason: row.kind });
  tellNeedsHuman(draft, row);
  return row.id;
}
