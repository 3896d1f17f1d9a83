import type { Resolution } from '@baton/contract';
import type { Draft } from '../draft.ts';
import type { CheckpointRow, TaskRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
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
  if (open.taskId !== null) {
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

/** Takes back the open checkpoint of a task that will not wait for it any more, if it has one. */
export function cancelCheckpointOf(draft: Draft, task: TaskRow, reason: string): void {
  if (task.checkpointId !== null) closeCheckpoint(draft, task.checkpointId, 'cancel', null, reason);
}

/** The worker whose live agent waits for the answer. */
function workerOf(draft: Draft, row: CheckpointRow): string | null {
  return row.attemptId === null ? null : draft.get('attempts', row.attemptId).workerId;
}
