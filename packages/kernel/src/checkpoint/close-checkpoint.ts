import type { Resolution } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { row, rows } from '../need.ts';
import type { CheckpointRow, TaskRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import { holdAnew } from '../task/make-ready.ts';
import { dropTimers } from '../timer.ts';
import { nextCheckpointStatus, type CheckpointInput } from './checkpoint-machine.ts';
import { aboutOf } from './open-checkpoint.ts';

const statusOf = {
  resolve: 'resolved',
  expire: 'timed_out',
  cancel: 'cancelled',
  supersede: 'superseded',
} as const;

/** Closes an open checkpoint and tells how: the one decision, or none. */
export function closeCheckpoint(
  draft: Draft,
  id: string,
  input: CheckpointInput,
  resolution: Resolution | null,
  reason: string | null = null,
): CheckpointRow {
  const open = draft.get('checkpoints', id);
  const status = nextCheckpointStatus(open.status, input, statusOf[input]);
  const closed: CheckpointRow = { ...open, status, resolution, closedAtMs: draft.nowMs };
  draft.put('checkpoints', closed);
  const run = draft.get('runs', open.runId);
  draft.put('runs', { ...run, needsHuman: run.needsHuman - 1 });
  draft.touchRun(open.runId);
  if (open.taskId === null) liftBarrier(draft, open);
  else {
    changeTask(draft, open.taskId, { checkpointId: null });
    if (open.timeoutAtMs !== null) {
      dropTimers(draft, open.taskId, ['checkpoint_deadline', 'approval_timeout']);
    }
  }
  if (status === 'resolved' || status === 'timed_out') {
    draft.event(`checkpoint.${status}`, aboutOf(open), {
      checkpoint: id,
      worker: workerOf(draft, open),
      resolution,
    });
  } else if (status !== 'open') {
    draft.event(`checkpoint.${status}`, aboutOf(open), {
      checkpoint: id,
      worker: workerOf(draft, open),
      reason,
    });
  }
  return closed;
}

/** What the run held back may be taken again. */
function liftBarrier(draft: Draft, barrier: CheckpointRow): void {
  const { runId } = barrier;
  draft.put('runs', { ...draft.get('runs', runId), barrierId: null });
  if (barrier.timeoutAtMs !== null) {
    for (const timer of draft.list('timersOfRun', runId)) {
      if (timer.checkpointId === barrier.id) draft.remove('timers', timer.id);
    }
  }
  const held = draft
    .list('tasksOfRun', runId)
    .filter((it) => it.status === 'ready' && it.reason === 'barrier')
    .toSorted((a, b) => a.position - b.position);
  draft.load(
    held.flatMap(({ id, continueAttemptId }) => [
      row('taskSpecs', id),
      row('ready', id),
      ...rows('attempts', [continueAttemptId]),
    ]),
  );
  for (const task of held) holdAnew(draft, task);
}

/** Takes back the open checkpoint of a task that will not wait for it any more, if it has one. */
export function cancelCheckpointOf(draft: Draft, task: TaskRow, reason: string): void {
  if (task.checkpointId !== null) closeCheckpoint(draft, task.checkpointId, 'cancel', null, reason);
}

/** The worker whose live agent waits for the answer. */
function workerOf(draft: Draft, row: CheckpointRow): string | null {
  return row.attemptId === null ? null : draft.get('attempts', row.attemptId).workerId;
}
