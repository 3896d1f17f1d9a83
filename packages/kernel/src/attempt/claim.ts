import type { Json } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { stableJson } from '../json-text.ts';
import { setAside, type Funds } from '../limits/budget.ts';
import type { Gates } from '../limits/gates.ts';
import { takePlaces } from '../limits/holds.ts';
import { keysOf } from '../limits/limit-keys.ts';
import { list, lists, rows } from '../need.ts';
import type { AttemptHolds, AttemptRow, TaskRow, WorkerRow } from '../rows.ts';
import { moveTask } from '../task/change-task.ts';
import { dropTimers, QUEUE_TIMERS } from '../timer.ts';
import { setAttemptTimers } from './attempt-timers.ts';
import { aboutAttempt } from './close-attempt.ts';
import { continuationOf, endContinuation } from './continuation.ts';
import { resolveInputs } from './inputs.ts';

/** Epochs of a database's history begin here, so that those given before a restore never come again. */
const epochsPerIncarnation = 2 ** 32;

/** Loads what claiming these tasks reads besides what choosing them has read (`needsToStart`). */
export function loadForClaim(draft: Draft, taskIds: readonly string[]): void {
  const tasks = taskIds.map((id) => draft.get('tasks', id));
  const upstreams = tasks.flatMap((it) => upstreamIds(draft, it.id));
  draft.load([
    ...rows(
      'attempts',
      tasks.flatMap((it) => [it.attemptId, it.continueAttemptId]),
    ),
    ...rows('tasks', upstreams),
    ...lists('outputsOfTask', upstreams),
    ...lists('artifactsOfTask', upstreams),
    ...tasks.filter((it) => hasQueueTimer(draft, it)).map((it) => list('timersOfTask', it.id)),
  ]);
  draft.load(
    rows(
      'attempts',
      upstreams.map((id) => draft.get('tasks', id).resultAttemptId),
    ),
  );
}

/** On what a task is handed out. */
interface Terms {
  readonly score: number;
  readonly engine: string;
  readonly gates: Gates;
  readonly funds: Exclude<Funds, { short: unknown }>;
}

/** Hands a ready task to a worker that fits and has a slot; the worker's row is the caller's. Answers the attempt. */
export function claim(
  draft: Draft,
  taskId: string,
  worker: WorkerRow,
  { score, engine, gates, funds }: Terms,
): AttemptRow {
  const before = draft.get('tasks', taskId);
  const { spec } = draft.get('taskSpecs', taskId);
  const previous = before.attemptId === null ? null : draft.get('attempts', before.attemptId);
  const epoch = Math.max(before.epoch + 1, draft.context.incarnation * epochsPerIncarnation);
  const manifest = manifestOf(draft, before, engine);
  const id = draft.newId('attempt');
  const slots = takePlaces(draft, gates, keysOf(spec, engine), { id, taskId });
  const attempt: AttemptRow = {
    id,
    taskId,
    runId: before.runId,
    projectId: before.projectId,
    number: previous?.generation === before.generation ? previous.number + 1 : 1,
    generation: before.generation,
    epoch,
    workerId: worker.id,
    engine,
    status: 'claimed',
    failureClass: null,
    reason: null,
    conversation: null,
    promptSha256: null,
    manifest,
    manifestSha256: draft.context.sha256(stableJson(manifest)),
    usage: null,
    exitCode: null,
    result: null,
    orphanResult: null,
    reportSha256: null,
    leaseSeconds: spec.lease_seconds,
    leaseUntilMs: draft.nowMs + spec.lease_seconds * 1_000,
    parkMode: null,
    missedBeats: 0,
    claimedAtMs: draft.nowMs,
    startedAtMs: null,
    endedAtMs: null,
    holds: holdsOf(slots, funds),
  };
  setAside(draft, funds);
  draft.create('attempts', attempt);
  if (hasQueueTimer(draft, before)) dropTimers(draft, taskId, QUEUE_TIMERS);
  const task = moveTask(draft, taskId, 'claim', 'running', {
    epoch,
    attemptId: attempt.id,
    workerId: worker.id,
    attemptCount: before.attemptCount + 1,
    reason: null,
    retryAtMs: null,
    progress: null,
    ...(before.continueAttemptId === null ? {} : endContinuation(draft, before)),
  });
  setAttemptTimers(draft, task, attempt);
  tellClaim(draft, task, attempt, worker, score);
  return attempt;
}

function holdsOf(
  slots: readonly string[],
  { budgets, reserve }: Terms['funds'],
): AttemptHolds | null {
  if (slots.length + budgets.length === 0) return null;
  return { slots, budgets: budgets.map((it) => it.id), reserved: reserve };
}

function tellClaim(
  draft: Draft,
  task: TaskRow,
  attempt: AttemptRow,
  worker: WorkerRow,
  score: number,
): void {
  const about = aboutAttempt(attempt);
  draft.event('task.assigned', about, {
    worker: worker.id,
    worker_name: worker.name,
    attempt: attempt.id,
    by: task.assignedWorker === null ? 'auto' : 'person',
    score,
  });
  draft.event('attempt.claimed', about, {
    worker: worker.id,
    worker_name: worker.name,
    number: attempt.number,
    engine: attempt.engine,
    epoch: attempt.epoch,
  });
}

/** What the attempt is given, as it is at this moment: by digest, so that it can be checked later. */
function manifestOf(draft: Draft, task: TaskRow, engine: string): Record<string, Json> {
  const edges = draft.list('edgesIn', task.id);
  const upstreams = upstreamIds(draft, task.id).map((id) => draft.get('tasks', id));
  const outputs = upstreams.flatMap((it) => draft.list('outputsOfTask', it.id));
  const inputs = resolveInputs(edges, (id) => upstreams.find((it) => it.id === id), outputs);
  const { spec } = draft.get('taskSpecs', task.id);
  const run = draft.get('runs', task.runId);
  // Keys in the order of `stableJson`, which mostly need not sort them then.
  const manifest: Record<string, Json> = {
    artifacts: Object.fromEntries(
      upstreams
        .flatMap((it) =>
          draft.list('artifactsOfTask', it.id).filter((a) => a.attemptId === it.resultAttemptId),
        )
        .map((artifact) => [artifact.id, artifact.sha256]),
    ),
    bases: { ...run.bases },
    config: {
      lease_seconds: spec.lease_seconds,
      permissions: spec.permissions ?? run.policy.permissions ?? null,
      timeouts: { ...spec.timeouts } as Record<string, Json>,
    },
    engine,
    generation: task.generation,
    inputs: Object.fromEntries(
      [...inputs].map(([name, output]) => [
        name,
        { task: output.taskId, attempt: output.attemptId, key: output.key, sha256: output.sha256 },
      ]),
    ),
    spec_sha256: draft.context.sha256(stableJson(spec)),
    upstream: upstreams.map((it) => {
      const attempt =
        it.resultAttemptId === null ? null : draft.get('attempts', it.resultAttemptId);
      return {
        task: it.id,
        status: it.status,
        generation: it.generation,
        attempt: it.resultAttemptId,
        commit: attempt?.result?.commit?.commit ?? null,
      };
    }),
  };
  if (task.verifies !== null) manifest['verifies'] = task.verifies;
  if (task.continueAttemptId !== null) manifest['continue'] = continuationOf(draft, task, engine);
  return manifest;
}

/** The tasks a task depends on, each once. */
function upstreamIds(draft: Draft, taskId: string): string[] {
  const edges = draft.list('edgesIn', taskId);
  return edges.length === 0 ? [] : [...new Set(edges.map((edge) => edge.upstreamId))];
}

function hasQueueTimer(draft: Draft, task: TaskRow): boolean {
  return (
    task.continueAttemptId !== null ||
    draft.get('taskSpecs', task.id).spec.timeouts.queue !== undefined
  );
}
