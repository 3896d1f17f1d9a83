import type { CommandOf } from '@baton/contract';
import { aboutAttempt, closeAttempt, type Ending } from '../attempt/close-attempt.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import type { Draft } from '../draft.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { finishTask } from '../task/finish-task.ts';
import { REJECTED_EXIT_CODE } from './check-script.ts';
import { takeVerdict } from './verify.ts';

/** Words of a verdict that are kept with the task; the check's own result and log have all of them. */
const wordsMax = 8_000;

/**
 * Whether what a failed check by commands says is its verdict: one of them did not end with 0. All other
 * failures (a lost worker, a killed shell, a workspace that could not be made) are its own.
 */
export function isRejection(
  task: Pick<TaskRow, 'verifies'>,
  body: Pick<CommandOf<'attempt.fail'>['body'], 'failure_class' | 'exit_code'>,
): boolean {
  return (
    task.verifies?.check === 'commands' &&
    body.failure_class === 'agent_error' &&
    body.exit_code === REJECTED_EXIT_CODE
  );
}

/** A verification task has come to a verdict: it is done, and its verdict goes to the task it checked. */
export function endCheck(
  draft: Draft,
  attempt: AttemptRow,
  ending: Ending,
  isAccepted: boolean,
): void {
  cancelCheckpointOf(draft, draft.get('tasks', attempt.taskId), 'the attempt completed');
  const closed = closeAttempt(draft, attempt.id, 'succeed', 'succeeded', ending);
  draft.event('attempt.succeeded', aboutAttempt(closed), { usage: closed.usage });
  finishTask(draft, closed);
  const { summary } = closed.result ?? { summary: '' };
  const words = summary === '' && !isAccepted ? 'rejected without a word' : summary;
  takeVerdict(draft, draft.get('tasks', attempt.taskId), isAccepted, words.slice(-wordsMax));
}
