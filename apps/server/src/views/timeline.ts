import type { Timeline } from '@baton/contract';
import type { AttemptRead, CheckpointRead, RunRead, TaskRead } from '@baton/store';
import { publicTaskId, publicTaskIdOrNull } from './ids.ts';
import { isoOf, isoOrNull } from './instant.ts';

type Lane = Timeline['lanes'][number];

/** Shorter pauses between attempts are not worth compressing. */
const idleMsMin = 1_000;

export interface TimelineParts {
  readonly run: RunRead['run'];
  readonly tasks: readonly TaskRead[];
  /** By the instant of their claim. */
  readonly attempts: readonly AttemptRead[];
  readonly checkpoints: readonly CheckpointRead[];
  readonly nowMs: number;
}

/** A run as parallel lanes, one a task or one a slot of a worker, with the times in which nothing moved. */
export function timelineView(parts: TimelineParts, by: 'task' | 'worker'): Timeline {
  const { run } = parts;
  return {
    run: run.id,
    from: isoOf(run.createdAtMs),
    to: isoOrNull(run.endedAtMs),
    lanes: by === 'task' ? lanesByTask(parts) : lanesByWorker(parts),
    checkpoints: parts.checkpoints.map(({ checkpoint: it }) => ({
      id: it.id,
      task: publicTaskIdOrNull(it.taskId),
      kind: it.kind,
      status: it.status,
      question: it.question,
      opened_at: isoOf(it.openedAtMs),
      closed_at: isoOrNull(it.closedAtMs),
    })),
    idle: idleSpans(parts).map(([from, to]) => ({ from: isoOf(from), to: isoOrNull(to) })),
  };
}

function lanesByTask({ tasks, attempts }: TimelineParts): Lane[] {
  return tasks.map(({ task, spec }) => ({
    id: publicTaskId(task.id),
    title: spec.title,
    task: {
      id: publicTaskId(task.id),
      key: task.key,
      kind: task.kind,
      status: task.status,
      parent_task: publicTaskIdOrNull(spec.parentTaskId),
      created_at: isoOf(task.createdAtMs),
      ready_at: isoOrNull(task.readyAtMs),
      ended_at: isoOrNull(task.endedAtMs),
    },
    attempts: attempts.filter((it) => it.attempt.taskId === task.id).map(attemptOf),
  }));
}

/** Each worker has as many lanes as it worked on things at once. */
function lanesByWorker({ attempts, nowMs }: TimelineParts): Lane[] {
  const lanes: (Lane & { freeAtMs: number; worker: string })[] = [];
  for (const read of attempts) {
    const { workerId, claimedAtMs, endedAtMs } = read.attempt;
    const own = lanes.filter((it) => it.worker === workerId);
    let lane = own.find((it) => it.freeAtMs <= claimedAtMs);
    if (lane === undefined) {
      const slot = own.length + 1;
      lane = {
        id: `${workerId}/${slot}`,
        title: slot === 1 ? read.workerName : `${read.workerName} ${slot}`,
        task: null,
        attempts: [],
        worker: workerId,
        freeAtMs: 0,
      };
      lanes.push(lane);
    }
    lane.attempts.push(attemptOf(read));
    lane.freeAtMs = endedAtMs ?? Math.max(nowMs, claimedAtMs + 1);
  }
  return lanes
    .toSorted((a, b) => (a.title < b.title ? -1 : 1))
    .map(({ id, title, task, attempts: in_ }) => ({ id, title, task, attempts: in_ }));
}

function attemptOf({ attempt: it, workerName, taskKey }: AttemptRead): Lane['attempts'][number] {
  return {
    attempt: it.id,
    task: publicTaskId(it.taskId),
    key: taskKey,
    number: it.number,
    generation: it.generation,
    worker: it.workerId,
    worker_name: workerName,
    engine: it.engine,
    status: it.status,
    failure_class: it.failureClass,
    claimed_at: isoOf(it.claimedAtMs),
    started_at: isoOrNull(it.startedAtMs),
    ended_at: isoOrNull(it.endedAtMs),
  };
}

/** Spans of the run in which no attempt was open. Attempts come by the instant of their claim. */
function idleSpans({ run, attempts, nowMs }: TimelineParts): [from: number, to: number | null][] {
  const spans: [number, number | null][] = [];
  let busyUntilMs = run.createdAtMs;
  for (const { attempt } of attempts) {
    if (attempt.claimedAtMs - busyUntilMs >= idleMsMin) {
      spans.push([busyUntilMs, attempt.claimedAtMs]);
    }
    busyUntilMs = Math.max(busyUntilMs, attempt.endedAtMs ?? Number.POSITIVE_INFINITY);
  }
  const endMs = run.endedAtMs ?? nowMs;
  if (Number.isFinite(busyUntilMs) && endMs - busyUntilMs >= idleMsMin) {
    spans.push([busyUntilMs, run.endedAtMs]);
  }
  return spans;
}
