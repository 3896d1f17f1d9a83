import { DEFAULTS, type Assignment, type Json, type UpstreamResult } from '@baton/contract';
import { givenContinuation } from './attempt/continuation.ts';
import { resolveInputs } from './attempt/inputs.ts';
import type {
  ArtifactRow,
  AttemptRow,
  CheckpointRow,
  DependencyRow,
  NoteRow,
  OutputRow,
  RunRow,
  TaskRow,
  TaskSpecRow,
} from './rows.ts';

/** What an assignment is made of: an attempt, its task, and what stands upstream. In no order. */
export interface AssignmentRows {
  readonly attempt: AttemptRow;
  readonly task: TaskRow;
  readonly spec: TaskSpecRow;
  readonly run: RunRow;
  readonly edgesIn: readonly DependencyRow[];
  readonly upstreamTasks: readonly TaskRow[];
  /** The attempts whose results stand for the upstream tasks (`resultAttemptId`). */
  readonly upstreamAttempts: readonly AttemptRow[];
  readonly upstreamOutputs: readonly OutputRow[];
  readonly upstreamArtifacts: readonly ArtifactRow[];
  /** Work that the attempt which is gone on with saved when it ended its process. */
  readonly saved?: readonly ArtifactRow[];
  readonly notes: readonly NoteRow[];
  /** The newest attempt of the task before this one, of any generation. */
  readonly previousAttempt: AttemptRow | null;
  /** Checkpoints of the task that were decided, in no order. */
  readonly decided?: readonly CheckpointRow[];
  /** Last log lines of upstream tasks, by task; only where `dependency_log_lines` asks for them. */
  readonly logTails?: Readonly<Record<string, readonly string[]>>;
}

/** Everything a worker needs to execute an attempt, but its token. */
export function buildAssignment(rows: AssignmentRows): Omit<Assignment, 'token'> {
  const { attempt, task, spec, run } = rows;
  return {
    attempt: {
      id: attempt.id,
      epoch: attempt.epoch,
      number: attempt.number,
      generation: attempt.generation,
    },
    project: attempt.projectId,
    run: { id: run.id, goal: run.goal, input: { ...run.input }, labels: { ...run.labels } },
    task: {
      id: task.id,
      key: task.key,
      title: spec.title,
      spec: spec.spec,
      engine: attempt.engine,
    },
    inputs: inputsOf(rows),
    upstream: upstreamResults(rows),
    bases: { ...run.bases },
    notes: rows.notes
      .toSorted((a, b) => a.createdAtMs - b.createdAtMs)
      .map(({ author, text, urgent }) => ({ author, text, urgent })),
    last_failure: lastFailure(rows.previousAttempt, task.freshGeneration),
    feedback: task.feedback,
    conversation: attempt.conversation,
    answer: null,
    continue: givenContinuation(attempt),
    saved: savedWork(rows.saved ?? []),
    plan: spec.plan,
    decisions: decisionsOf(rows.decided ?? []),
    started: attempt.startedAtMs !== null,
    lease_seconds: attempt.leaseSeconds,
    heartbeat_seconds: Math.min(DEFAULTS.heartbeatSeconds, attempt.leaseSeconds / 3),
  };
}

function inputsOf(rows: AssignmentRows): Record<string, Json> {
  const tasks = new Map(rows.upstreamTasks.map((it) => [it.id, it]));
  const found = resolveInputs(rows.edgesIn, (id) => tasks.get(id), rows.upstreamOutputs);
  const { verifies } = rows.task;
  // A check is given what the attempt that it judges hands on, although nobody else is yet.
  const judged = rows.upstreamOutputs.filter((it) => it.attemptId === verifies?.attempt);
  return Object.fromEntries([
    ...judged.map((output) => [output.key, output.data]),
    ...[...found].map(([name, output]) => [name, output.data]),
  ]) as Record<string, Json>;
}

/** One entry for each upstream and type of edge, in plan order. */
function upstreamResults(rows: AssignmentRows): UpstreamResult[] {
  const attempts = new Map(rows.upstreamAttempts.map((it) => [it.id, it]));
  return rows.upstreamTasks
    .toSorted((a, b) => a.position - b.position)
    .flatMap((task) => {
      const isJudged = rows.task.verifies?.task === task.id;
      const edges = isJudged
        ? ['verifies']
        : rows.edgesIn.filter((it) => it.upstreamId === task.id).map((it) => it.type);
      const result = isJudged ? rows.task.verifies?.attempt : task.resultAttemptId;
      const attempt = attempts.get(result ?? '');
      const commit = attempt?.result?.commit ?? null;
      const bundle = rows.upstreamArtifacts.find(
        (it) => it.kind === 'bundle' && it.attemptId === attempt?.id,
      );
      const isElsewhere = attempt !== undefined && attempt.workerId !== rows.attempt.workerId;
      return [...new Set(edges)].map((edge) => ({
        task: task.id,
        key: task.key,
        status: task.status,
        summary: attempt?.result?.summary ?? (task.kind === 'human' ? (task.reason ?? '') : ''),
        edge,
        commit,
        bundle: isElsewhere ? (bundle?.id ?? null) : null,
        log_tail: [...(rows.logTails?.[task.id] ?? [])],
      }));
    });
}

/** Saved last: an attempt that was held and then ended has saved twice. */
function savedWork(saved: readonly ArtifactRow[]): Assignment['saved'] {
  const last = saved.toSorted((a, b) => a.createdAtMs - b.createdAtMs).at(-1);
  if (last === undefined) return null;
  return { attempt: last.attemptId, artifact: last.id, meta: { ...last.meta } };
}

function lastFailure(
  previous: AttemptRow | null,
  freshGeneration: number,
): Assignment['last_failure'] {
  if (previous !== null && previous.generation < freshGeneration) return null;
  if (previous?.failureClass === null || previous?.failureClass === undefined) return null;
  return {
    failure_class: previous.failureClass,
    reason: previous.reason ?? '',
    attempt: previous.id,
  };
}

/** Answers to questions that later attempts must know too; at most the last twenty. */
function decisionsOf(decided: readonly CheckpointRow[]): Assignment['decisions'] {
  return decided
    .filter((it) => it.kind === 'question' || it.kind === 'review')
    .toSorted((a, b) => a.openedAtMs - b.openedAtMs)
    .slice(-20)
    .flatMap(({ question, resolution }) => {
      const answer = resolution?.text ?? resolution?.option;
      return resolution === null || answer === undefined
        ? []
        : [{ question, answer, by: resolution.by }];
    });
}
