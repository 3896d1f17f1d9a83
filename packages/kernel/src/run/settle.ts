import { isTerminalRun, isTerminalTask, type RunStatus } from '@baton/contract';
import { deliverRest } from '../delivery/deliver-result.ts';
import type { Draft } from '../draft.ts';
import type { RunRow } from '../rows.ts';
import { withRun } from '../rows/changed-row.ts';
import { moveTask } from '../task/change-task.ts';
import { idleReason } from './idle-reason.ts';
import { awaitsReplan } from './replan.ts';
import { nextRunStatus, type RunInput } from './run-machine.ts';

/**
 * Brings a run's status in line with its tasks: waiting when only people can move it, ended when
 * nothing of it is in play. Called once for each run that a command touched; changes it at most once.
 */
export function settleRun(draft: Draft, id: string): void {
  const run = draft.get('runs', id);
  // One that is still being written has no work to judge by yet.
  if (isTerminalRun(run.status) || run.status === 'planning') return;
  if (run.status === 'cancelling') {
    if (draft.list('openAttemptsOfRun', id).length === 0)
      endRun(draft, run, 'stopped', 'cancelled');
    return;
  }
  const isInPlay = run.openTasks > run.outOfPlay;
  const isPending = run.delivery.state === 'pending';
  const isBarred = run.barrierId !== null;
  const needsPlan = !isInPlay && !isPending && awaitsReplan(run);
  const isEnding = !isInPlay && !isPending && !isBarred && !needsPlan;
  const isDelivering = isPending || (isEnding && deliverRest(draft, id));
  if (isEnding && !isDelivering) {
    if (run.outOfPlay > 0) skipOutOfPlay(draft, id);
    endRun(draft, run, 'end', outcomeOf(run));
  } else if (run.status === 'paused') {
    return;
  } else if (!isBarred && !needsPlan && (run.activeTasks > 0 || (!isInPlay && isDelivering))) {
    if (run.status === 'waiting') {
      moveRun(draft, id, 'resume', 'running');
      draft.event('run.resumed', { run: id }, {});
    }
  } else if (run.status === 'running') {
    const isAsked = run.needsHuman > 0;
    const reason = isBarred ? 'barrier' : isAsked ? 'checkpoint' : idleOf(draft, id, needsPlan);
    moveRun(draft, id, 'wait', 'waiting');
    draft.event('run.waiting', { run: id }, { reason });
  }
}

function idleOf(draft: Draft, id: string, needsPlan: boolean): string {
  if (needsPlan) return 'replan_needed';
  return draft.cause === 'task.pause' ? 'paused' : idleReason(draft, id);
}

/** Moves a run to another status, the only way it changes. */
export function moveRun(
  draft: Draft,
  id: string,
  input: RunInput,
  to: RunStatus,
  patch: Partial<RunRow> = {},
): void {
  const run = draft.get('runs', id);
  const status = nextRunStatus(run.status, input, to);
  const endedAtMs = isTerminalRun(status) ? draft.nowMs : null;
  draft.put('runs', withRun(run, patch, { status, endedAtMs, updatedAtMs: draft.nowMs }));
}

/** Opens an ended run again, because a task of it is redone or added. */
export function reopenRun(draft: Draft, id: string, reason: string): void {
  const run = draft.get('runs', id);
  if (!isTerminalRun(run.status)) return;
  moveRun(draft, id, 'reopen', 'running', { reason: null });
  draft.event('run.reopened', { run: id }, { reason });
}

/** Reason of a run that fails because nobody decided its barrier in time. */
export const UNANSWERED = 'checkpoint_timed_out';

function outcomeOf(run: RunRow): 'completed' | 'failed' | 'cancelled' {
  if (run.failedTasks > 0 || run.reason === UNANSWERED) return 'failed';
  return run.cancelledTasks > 0 ? 'cancelled' : 'completed';
}

function endRun(
  draft: Draft,
  run: RunRow,
  input: RunInput,
  to: 'completed' | 'failed' | 'cancelled',
) {
  const reason = to === 'completed' ? null : (run.reason ?? `tasks_${to}`);
  moveRun(draft, run.id, input, to, { reason });
  const about = { run: run.id };
  if (to === 'completed') {
    const summary = run.taskCount === 1 ? '1 task completed' : `${run.taskCount} tasks done`;
    draft.event('run.completed', about, { summary });
  } else {
    draft.event(`run.${to}`, about, { reason });
  }
}

/** What could never start ends with its run. */
function skipOutOfPlay(draft: Draft, id: string): void {
  const tasks = draft.list('tasksOfRun', id).filter((task) => !isTerminalTask(task.status));
  for (const task of tasks.toSorted((a, b) => a.position - b.position)) {
    moveTask(draft, task.id, 'skip', 'skipped', { reason: task.reason });
    draft.event('task.skipped', { run: id, task: task.id }, { reason: task.reason });
  }
}
