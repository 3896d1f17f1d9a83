import { afterFailure } from '../attempt/after-failure.ts';
import { aboutAttempt, closeAttempt } from '../attempt/close-attempt.ts';
import { takeReport } from '../attempt/report.ts';
import { msOfIso } from '../iso-time.ts';
import { loadForEnd } from './attempt-complete.ts';
import { endCheck, isRejection } from '../verification/end-check.ts';
import type { Handler } from './handler.ts';

/** The attempt did not finish its task; by its class, the task is tried again or fails. */
export const attemptFail: Handler<'attempt.fail'> = (draft, command) => {
  const { body } = command;
  const { result, usage, exit_code: exitCode, conversation, reason } = body;
  const ending = { result, usage, exitCode, conversation };
  const report = takeReport(draft, command, ending);
  if ('refused' in report) return report;
  if ('answered' in report) return report.answered;
  const { attempt, reportSha256 } = report;
  loadForEnd(draft, attempt);
  const failureClass = body.failure_class;
  if (isRejection(draft.get('tasks', attempt.taskId), body)) {
    const verdict = { status: 'failed' as const, summary: reason };
    endCheck(draft, attempt, { ...ending, result: verdict, reportSha256 }, false);
    return { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  }
  closeAttempt(draft, attempt.id, 'fail', 'failed', {
    ...ending,
    failureClass,
    reason,
    reportSha256,
  });
  draft.event('attempt.failed', aboutAttempt(attempt), { failure_class: failureClass, reason });
  const retryAtMs = body.retry_at === undefined ? null : msOfIso(body.retry_at);
  afterFailure(draft, attempt, failureClass, reason, retryAtMs);
  return { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
};
