import { aboutAttempt } from '../attempt/close-attempt.ts';
import { outputsOf } from '../attempt/output.ts';
import { deliverResult } from '../delivery/deliver-result.ts';
import { clearFailures } from '../delegation/chain.ts';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { learnRepo } from '../matching/learn-repo.ts';
import type { AttemptRow } from '../rows.ts';
import { moveTask } from './change-task.ts';

/**
 * Completes a task with the result of an attempt that has ended: what it hands on counts from now, what
 * waited for it starts, and its commit is delivered if the run delivers it.
 */
export function finishTask(
  draft: Draft,
  attempt: AttemptRow,
  input: 'complete' | 'adopt' = 'complete',
): void {
  const about = aboutAttempt(attempt);
  dropForeignOutputs(draft, attempt);
  moveTask(draft, attempt.taskId, input, 'completed', {
    reason: null,
    resultAttemptId: attempt.id,
    failureClass: null,
    freeRetries: 0,
    retryAtMs: null,
    continueAttemptId: null,
    wake: null,
  });
  draft.event('task.completed', about, { result: attempt.result });
  for (const output of outputsOf(draft, attempt)) {
    draft.event('contract.fulfilled', about, {
      key: output.key,
      type: output.type,
      sha256: output.sha256,
    });
  }
  clearFailures(draft, attempt.taskId);
  learnRepo(draft, attempt);
  cascade(draft, [attempt.taskId]);
  deliverResult(draft, attempt.taskId);
}

/** What earlier attempts of this generation set and this one did not is no output of the task. */
function dropForeignOutputs(draft: Draft, attempt: AttemptRow): void {
  for (const output of draft.list('outputsOfTask', attempt.taskId)) {
    if (output.generation === attempt.generation && output.attemptId !== attempt.id) {
      draft.remove('outputs', output.id);
    }
  }
}
