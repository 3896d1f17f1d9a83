import { afterFailure } from '../attempt/after-failure.ts';
import { closeHeld } from '../attempt/continuation.ts';
import { isHeld } from '../attempt/slots.ts';
import { aboutAttempt, closeAttempt } from '../attempt/close-attempt.ts';
import { takeReport } from '../attempt/report.ts';
import { loadForEnd } from './attempt-complete.ts';
import type { Handler } from './handler.ts';

/** The worker hands the task back, unfinished and through no fault of it; not counted. */
export const attemptRelease: Handler<'attempt.release'> = (draft, command) => {
  const report = takeReport(draft, command, {});
  if ('refused' in report) return report;
  if ('answered' in report) return report.answered;
  const { attempt, reportSha256 } = report;
  loadForEnd(draft, attempt);
  const reason = command.body.reason ?? 'handed back by the worker';
  // Its task goes on waiting, and is begun anew once it may go on.
  if (isHeld(attempt)) {
    closeHeld(draft, attempt, 'release', reason, reportSha256);
    return { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  }
  closeAttempt(draft, attempt.id, 'release', 'released', { reason, reportSha256 });
  draft.event('attempt.released', aboutAttempt(attempt), { reason });
  afterFailure(draft, attempt, 'released', reason);
  return { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
};
