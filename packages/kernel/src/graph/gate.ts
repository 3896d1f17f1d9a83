import type { TaskResult } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { rows } from '../need.ts';
import type { TaskRow, TaskSpecRow } from '../rows.ts';

/** What a completed upstream means for a gate: nothing yet while its review is awaited. */
export type GateVerdict = 'accepted' | 'rejected' | 'open';

/**
 * Whether a completed task's result may be built on. A verifier says so by its own result, a task with a
 * verification policy has been accepted when it completes, any other needs a reviewer's yes. A review
 * that rejects shuts the gate, whatever was said before.
 */
export function gateVerdict(
  task: Pick<TaskRow, 'kind' | 'rejected'>,
  { spec, review }: Pick<TaskSpecRow, 'spec' | 'review'>,
  result: TaskResult | null,
): GateVerdict {
  if (task.rejected) return 'rejected';
  if (isVerifier(task, spec)) return result?.status === 'success' ? 'accepted' : 'rejected';
  return spec.verification !== undefined || review.state === 'approved' ? 'accepted' : 'open';
}

/** Whether a task's own result is a verdict. */
export function isVerifier(
  task: Pick<TaskRow, 'kind'>,
  spec: Pick<TaskSpecRow['spec'], 'role'>,
): boolean {
  return task.kind === 'verify' || spec.role === 'verifier';
}

/** The same for a task of which everything is loaded, see `loadGates`. */
export function gateVerdictOf(draft: Draft, task: TaskRow): GateVerdict {
  const result =
    task.resultAttemptId === null ? null : draft.get('attempts', task.resultAttemptId).result;
  return gateVerdict(task, draft.get('taskSpecs', task.id), result);
}

/** Loads at once what the verdicts on these tasks are read from. */
export function loadGates(draft: Draft, upstreams: readonly TaskRow[]): void {
  draft.load([
    ...rows(
      'taskSpecs',
      upstreams.map((it) => it.id),
    ),
    ...rows(
      'attempts',
      upstreams.map((it) => it.resultAttemptId),
    ),
  ]);
}
