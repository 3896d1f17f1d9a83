import type { CheckpointKind, Json } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import { stableJson } from '../json-text.ts';
import type { CheckpointRow, TaskRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import { setTimer } from '../timer.ts';

/** What is asked; fields left out have the defaults of a question without deadline. */
export interface Question {
  readonly kind: CheckpointKind;
  readonly question: string;
  readonly context?: Json;
  readonly options?: readonly string[];
  readonly freeform?: boolean;
  readonly defaultOption?: string | null;
  readonly timeoutSeconds?: number | undefined;
  readonly onTimeout?: CheckpointRow['onTimeout'];
  readonly answerBy?: CheckpointRow['answerBy'];
  readonly resume?: CheckpointRow['resume'];
  readonly attempt?: string;
  readonly clientId?: string | undefined;
}

/** Opens the checkpoint of a task that has none open. Tells `checkpoint.opened`. */
export function openCheckpoint(draft: Draft, task: TaskRow, asked: Question): CheckpointRow {
  const options = asked.options ?? [];
  const seconds = asked.timeoutSeconds;
  const timeoutAtMs = seconds === undefined ? null : Math.round(draft.nowMs + seconds * 1_000);
  const row: CheckpointRow = {
    id: draft.newId('checkpoint'),
    projectId: task.projectId,
    runId: task.runId,
    taskId: task.id,
    attemptId: asked.attempt ?? null,
    clientId: asked.clientId ?? null,
    kind: asked.kind,
    question: asked.question,
    context: asked.context ?? null,
    options,
    freeform: asked.freeform ?? options.length === 0,
    defaultOption: asked.defaultOption ?? null,
    timeoutAtMs,
    onTimeout: asked.onTimeout ?? 'keep_waiting',
    answerBy: asked.answerBy ?? 'human',
    resume: asked.resume ?? 'live',
    factsSha256: draft.context.sha256(
      stableJson([task.id, task.generation, asked.kind, asked.question, options, asked.context]),
    ),
    status: 'open',
    resolution: null,
    openedBy: draft.actor.name ?? draft.actor.id ?? draft.actor.kind,
    openedAtMs: draft.nowMs,
    closedAtMs: null,
  };
  draft.put('checkpoints', row);
  changeTask(draft, task.id, { checkpointId: row.id });
  const run = draft.get('runs', task.runId);
  draft.put('runs', { ...run, needsHuman: run.needsHuman + 1 });
  if (timeoutAtMs !== null && row.onTimeout !== 'keep_waiting') {
    setTimer(draft, task, {
      kind: row.kind === 'dispatch_approval' ? 'approval_timeout' : 'checkpoint_deadline',
      dueAtMs: timeoutAtMs,
      guard: task.generation,
      checkpoint: row.id,
    });
  }
  draft.event('checkpoint.opened', aboutOf(row), {
    checkpoint: row.id,
    kind: row.kind,
    question: row.question,
    options: row.options,
    timeout_at: timeoutAtMs === null ? null : isoOf(timeoutAtMs),
  });
  return row;
}

/** Tells that a task waits for a person; after what else the opening changed. */
export function tellNeedsHuman(draft: Draft, row: CheckpointRow): void {
  draft.event('task.needs_human', aboutOf(row), {
    checkpoint: row.id,
    kind: row.kind,
    question: row.question,
  });
}

/** What events of a checkpoint are about. */
export function aboutOf(row: CheckpointRow): {
  run: string;
  task: string | null;
  attempt: string | null;
} {
  return { run: row.runId, task: row.taskId, attempt: row.attemptId };
}
