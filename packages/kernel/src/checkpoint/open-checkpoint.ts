import type { CheckpointKind, Json } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import { stableJson } from '../json-text.ts';
import type { CheckpointRow, RunRow, TaskRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import { setRunTimer, setTimer } from '../timer.ts';

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
  const { id: taskId, runId, projectId, generation } = task;
  const row = insertCheckpoint(
    draft,
    { projectId, runId, taskId, facts: [taskId, generation] },
    asked,
  );
  changeTask(draft, taskId, { checkpointId: row.id });
  if (row.timeoutAtMs !== null && row.onTimeout !== 'keep_waiting') {
    setTimer(draft, task, {
      kind: row.kind === 'dispatch_approval' ? 'approval_timeout' : 'checkpoint_deadline',
      dueAtMs: row.timeoutAtMs,
      guard: generation,
      checkpoint: row.id,
    });
  }
  tellOpened(draft, row);
  return row;
}

/** Opens the barrier of a run that has none. Its ready tasks are held by the caller. */
export function openBarrier(draft: Draft, run: RunRow, asked: Question): CheckpointRow {
  const { id: runId, projectId } = run;
  const row = insertCheckpoint(draft, { projectId, runId, taskId: null, facts: [runId] }, asked);
  draft.put('runs', { ...draft.get('runs', runId), barrierId: row.id });
  draft.touchRun(runId);
  if (row.timeoutAtMs !== null && row.onTimeout !== 'keep_waiting') {
    setRunTimer(draft, run, {
      kind: 'checkpoint_deadline',
      dueAtMs: row.timeoutAtMs,
      guard: 0,
      checkpoint: row.id,
    });
  }
  tellOpened(draft, row);
  return row;
}

interface Scope {
  readonly projectId: string;
  readonly runId: string;
  readonly taskId: string | null;
  /** What the decision is about, beside what is asked. */
  readonly facts: Json[];
}

function insertCheckpoint(draft: Draft, scope: Scope, asked: Question): CheckpointRow {
  const { kind, question, context = null } = asked;
  const options = asked.options ?? [];
  const seconds = asked.timeoutSeconds;
  const facts = [...scope.facts, kind, question, [...options], context];
  const row: CheckpointRow = {
    id: draft.newId('checkpoint'),
    projectId: scope.projectId,
    runId: scope.runId,
    taskId: scope.taskId,
    attemptId: asked.attempt ?? null,
    clientId: asked.clientId ?? null,
    kind,
    question,
    context,
    options,
    freeform: asked.freeform ?? options.length === 0,
    defaultOption: asked.defaultOption ?? null,
    timeoutAtMs: seconds === undefined ? null : Math.round(draft.nowMs + seconds * 1_000),
    onTimeout: asked.onTimeout ?? 'keep_waiting',
    answerBy: asked.answerBy ?? 'human',
    resume: asked.resume ?? 'live',
    factsSha256: draft.context.sha256(stableJson(facts)),
    status: 'open',
    resolution: null,
    openedBy: draft.actor.name ?? draft.actor.id ?? draft.actor.kind,
    openedAtMs: draft.nowMs,
    closedAtMs: null,
  };
  draft.put('checkpoints', row);
  const run = draft.get('runs', scope.runId);
  draft.put('runs', { ...run, needsHuman: run.needsHuman + 1 });
  return row;
}

function tellOpened(draft: Draft, row: CheckpointRow): void {
  draft.event('checkpoint.opened', aboutOf(row), {
    checkpoint: row.id,
    kind: row.kind,
    question: row.question,
    options: row.options,
    timeout_at: row.timeoutAtMs === null ? null : isoOf(row.timeoutAtMs),
  });
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
