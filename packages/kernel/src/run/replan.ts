import type { Draft } from '../draft.ts';
import type { RunRow, TaskRow } from '../rows.ts';
import { modelLimits } from './model-limits.ts';

const PREFIX = 'replan_needed:';

/** Whether a run has a failure that a new plan is waited for. Nothing of it is skipped meanwhile. */
export function awaitsReplan(run: Pick<RunRow, 'reason' | 'failedTasks'>): boolean {
  return run.failedTasks > 0 && run.reason?.startsWith(PREFIX) === true;
}

/**
 * Notes that the failure of a task is to be met with a new plan: the run then waits for one instead of
 * ending. A run that was replanned as often as it may be ends with the failure.
 */
export function askForReplan(draft: Draft, task: TaskRow): void {
  const run = draft.get('runs', task.runId);
  const { replans } = modelLimits(run.policy);
  if (run.planVersion > replans) {
    draft.put('runs', { ...run, reason: `replan_limit:${task.key}` });
    return;
  }
  draft.put('runs', { ...run, reason: `${PREFIX}${task.key}` });
  draft.event(
    'run.replan_needed',
    { run: run.id, task: task.id },
    { task: task.id, reason: task.reason },
  );
}
