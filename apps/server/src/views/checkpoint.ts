import type { Checkpoint } from '@baton/contract';
import type { CheckpointRead } from '@baton/store';
import { publicTaskIdOrNull } from './ids.ts';
import { isoOf, isoOrNull } from './instant.ts';

/** A checkpoint as clients see it. */
export function checkpointView({
  checkpoint: row,
  taskKey,
}: Omit<CheckpointRead, 'holdsUp'>): Checkpoint {
  return {
    id: row.id,
    project: row.projectId,
    run: row.runId,
    task: publicTaskIdOrNull(row.taskId),
    task_key: taskKey,
    attempt: row.attemptId,
    kind: row.kind,
    question: row.question,
    context: row.context,
    options: [...row.options],
    freeform: row.freeform,
    default_option: row.defaultOption,
    timeout_at: isoOrNull(row.timeoutAtMs),
    on_timeout: row.onTimeout,
    answer_by: row.answerBy,
    resume: row.resume,
    facts_sha256: row.factsSha256,
    status: row.status,
    resolution: row.resolution,
    opened_by: row.openedBy,
    opened_at: isoOf(row.openedAtMs),
    closed_at: isoOrNull(row.closedAtMs),
  };
}
