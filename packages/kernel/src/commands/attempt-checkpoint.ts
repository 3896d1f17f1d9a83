import type { AttemptCheckpoint } from '@baton/contract';
import { nextAttemptStatus } from '../attempt/attempt-machine.ts';
import { aboutAttempt } from '../attempt/close-attempt.ts';
import { fence } from '../attempt/fence.ts';
import { yieldAttempt } from '../attempt/yield-attempt.ts';
import { openCheckpoint, tellNeedsHuman, type Question } from '../checkpoint/open-checkpoint.ts';
import { questionOfPlan, submitPlan } from '../checkpoint/plan-approval.ts';
import { onTimeoutOf, questionFault, refuseSecond } from '../checkpoint/question-faults.ts';
import type { Reply } from '../decision.ts';
import type { Draft } from '../draft.ts';
import { list, row } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { moveTask } from '../task/change-task.ts';
import type { Handler } from './handler.ts';

/** The agent asks. Asked again with the same client id, it is the same question. */
export const attemptCheckpoint: Handler<'attempt.checkpoint'> = (draft, command) => {
  const attempt = fence(draft, command, true);
  if ('refused' in attempt) return attempt;
  const { body } = command;
  return ask(draft, attempt, body.client_id, (task) => {
    if (body.kind !== 'plan_approval') return questionFault(body) ?? { asked: questionOf(body) };
    const plan = typeof body.context === 'string' ? body.context : body.question;
    const { resume, timeout_seconds: timeoutSeconds, client_id: clientId } = body;
    return {
      asked: questionOfPlan(draft, task, { plan, resume, timeoutSeconds, clientId }),
      opened: (checkpoint) => submitPlan(draft, task, plan, checkpoint),
    };
  });
};

/** What is asked, and what else follows from its being asked. */
interface Asking {
  readonly asked: Question;
  readonly opened?: (checkpoint: string) => void;
}

/** Puts a question of a running attempt, unless it was put by then; `make` says which. */
export function ask(
  draft: Draft,
  attempt: AttemptRow,
  clientId: string | undefined,
  make: (task: TaskRow) => Asking | Refused,
): Reply | Refused {
  const reply = { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  draft.load([
    list('checkpointsOfAttempt', attempt.id),
    row('taskSpecs', attempt.taskId),
    row('runs', attempt.runId),
  ]);
  const known = draft
    .list('checkpointsOfAttempt', attempt.id)
    .find((it) => clientId !== undefined && it.clientId === clientId);
  if (known !== undefined) {
    return { ...reply, checkpoint: known.id, already: true, yields: known.resume !== 'live' };
  }
  const task = draft.get('tasks', attempt.taskId);
  if (task.checkpointId !== null) return refuseSecond(task);
  if (attempt.status !== 'running') {
    return refuse(
      'wrong_status',
      `Attempt ${attempt.id} is ${attempt.status}; only one that runs can ask.`,
    );
  }
  const asking = make(task);
  if ('refused' in asking) return asking;
  const checkpoint = parkOn(draft, task, attempt, asking.asked, true);
  asking.opened?.(checkpoint);
  return { ...reply, checkpoint, yields: (asking.asked.resume ?? 'live') !== 'live' };
}

/**
 * Opens a question of a running attempt. `live`: it waits with its process; `held` and `new_attempt`: it
 * is to end its turn, by itself when it `asksItself`. Answers the checkpoint's id.
 */
export function parkOn(
  draft: Draft,
  task: TaskRow,
  attempt: AttemptRow,
  asked: Question,
  asksItself: boolean,
): string {
  const row = openCheckpoint(draft, task, { ...asked, attempt: attempt.id });
  if (row.resume === 'live') {
    draft.put('attempts', {
      ...attempt,
      status: nextAttemptStatus(attempt.status, 'park', 'parked'),
      parkMode: 'live',
    });
    moveTask(draft, task.id, 'park', 'waiting', { reason: row.kind });
    draft.event('attempt.parked', aboutAttempt(attempt), { reason: row.kind });
  } else {
    moveTask(draft, task.id, 'park', 'waiting', { reason: row.kind });
    const how = row.resume === 'held' ? 'held' : 'ended';
    yieldAttempt(draft, attempt, how, 'waiting_for_person', asksItself);
  }
  tellNeedsHuman(draft, row);
  return row.id;
}

/** What may be done without a word from a person is not asked: of these, only a person decides. */
function questionOf(body: AttemptCheckpoint): Question {
  const isPermission = body.kind === 'permission' && body.options.length === 0;
  const options = isPermission ? ['allow', 'deny'] : body.options;
  return {
    kind: body.kind,
    question: body.question,
    context: body.context,
    options,
    freeform: body.freeform ?? options.length === 0,
    defaultOption: body.default ?? null,
    timeoutSeconds: body.timeout_seconds,
    onTimeout: onTimeoutOf(body),
    answerBy: body.kind === 'question' ? body.answer_by : 'human',
    resume: body.resume,
    clientId: body.client_id,
  };
}
