import {
  CONTRACT_TYPES,
  type Json,
  type Note,
  type Task,
  type TaskDetail,
  type TaskOutput,
} from '@baton/contract';
import type { CheckpointRow, NoteRow, OutputRow } from '@baton/kernel';
import type { EdgeRead, TaskRead } from '@baton/store';
import { publicTaskId, publicTaskIdOrNull } from './ids.ts';
import { isoOf, isoOrNull } from './instant.ts';
import { usdOf } from './money.ts';
import { dependencyView } from './run.ts';

/** The check of a task's result, with ids as clients know them. */
function verificationView(state: TaskRead['task']['verification']): Task['verification'] {
  return state === null
    ? null
    : { ...state, by: state.by === null ? null : publicTaskId(state.by) };
}

function verifiesView(it: TaskRead['task']['verifies']): Task['verifies'] {
  return it === null ? null : { ...it, task: publicTaskId(it.task) };
}

/** A task as clients see it. */
export function taskView({ task, spec, workerName, result, lineageRoot }: TaskRead): Task {
  return {
    id: publicTaskId(task.id),
    project: task.projectId,
    run: task.runId,
    key: task.key,
    title: spec.title,
    spec: spec.spec,
    status: task.status,
    reason: task.reason,
    generation: task.generation,
    epoch: task.epoch,
    plan_version: task.planVersion,
    attempt_count: task.attemptCount,
    attempt: task.attemptId,
    worker: task.workerId,
    worker_name: workerName,
    assigned_worker: task.assignedWorker,
    needs_human: task.checkpointId !== null,
    progress: task.progress,
    result,
    outdated: task.outdated,
    verification: verificationView(task.verification),
    verifies: verifiesView(task.verifies),
    failure_class: task.failureClass,
    review: spec.review,
    parent_task: publicTaskIdOrNull(spec.parentTaskId),
    lineage_root: lineageRoot,
    depth: spec.depth,
    rerun_of: publicTaskIdOrNull(spec.rerunOf),
    origin: spec.origin,
    retry_at: isoOrNull(task.retryAtMs),
    usd: usdOf(task.usdMicros),
    created_at: isoOf(task.createdAtMs),
    ready_at: isoOrNull(task.readyAtMs),
    started_at: isoOrNull(task.startedAtMs),
    ended_at: isoOrNull(task.endedAtMs),
    updated_at: isoOf(task.updatedAtMs),
  };
}

/** What stands around a task. */
export interface TaskSurroundings {
  readonly inputs: Readonly<Record<string, Json>>;
  readonly outputs: readonly OutputRow[];
  readonly edges: readonly EdgeRead[];
  readonly openCheckpoints: readonly CheckpointRow[];
}

/** A task with what stands around it. */
export function taskDetailView(read: TaskRead, around: TaskSurroundings): TaskDetail {
  const { id } = read.task;
  return {
    ...taskView(read),
    inputs: { ...around.inputs },
    outputs: around.outputs.map(outputView),
    dependencies: around.edges.filter(({ edge }) => edge.downstreamId === id).map(dependencyView),
    dependents: around.edges.filter(({ edge }) => edge.upstreamId === id).map(dependencyView),
    plan: read.spec.plan,
    open_checkpoints: around.openCheckpoints.map((it) => ({
      id: it.id,
      kind: it.kind,
      question: it.question,
    })),
  };
}

/** A fulfilled contract as clients see it. */
export function outputView(output: OutputRow): TaskOutput {
  return {
    key: output.key,
    type: CONTRACT_TYPES.find((type) => type === output.type) ?? 'json',
    data: output.data,
    sha256: output.sha256,
    attempt: output.attemptId,
    generation: output.generation,
    fulfilled_at: isoOf(output.fulfilledAtMs),
  };
}

/** A remark as clients see it. */
export function noteView(note: NoteRow): Note {
  return {
    id: note.id,
    task: publicTaskId(note.taskId),
    author: note.author,
    text: note.text,
    urgent: note.urgent,
    created_at: isoOf(note.createdAtMs),
  };
}
