import { PRIORITIES, type PlanDependency, type TaskSpec, type Verifies } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { titleOf } from '../graph/expand-goal.ts';
import type { DependencyRow, RunRow, TaskRow, TaskSpecRow } from '../rows.ts';

interface NewTask {
  readonly id: string;
  readonly key: string;
  readonly position: number;
  readonly spec: TaskSpec;
  readonly needsId: string;
  readonly pending: number;
  readonly verifies?: Verifies;
  /** Where it stands below others, when it does. */
  readonly lineage?: Lineage;
}

/** What a task has from those it comes from. */
export type Lineage = Partial<
  Pick<TaskSpecRow, 'parentTaskId' | 'rerunOf' | 'origin' | 'depth' | 'chain' | 'failuresInRow'>
>;

/** The two rows of a new task, blocked until it is opened. */
export function newTask(
  draft: Draft,
  run: RunRow,
  made: NewTask,
): { task: TaskRow; cold: TaskSpecRow } {
  const { id, key, spec } = made;
  const task: TaskRow = {
    id,
    runId: run.id,
    projectId: run.projectId,
    key,
    position: made.position,
    kind: spec.kind,
    status: 'blocked',
    reason: null,
    pausedFrom: null,
    generation: 1,
    epoch: 0,
    planVersion: run.planVersion,
    pending: made.pending,
    outOfPlay: false,
    approved: false,
    attemptCount: 0,
    freeRetries: 0,
    attemptId: null,
    resultAttemptId: null,
    workerId: null,
    assignedWorker: null,
    needsId: made.needsId,
    priority: PRIORITIES.indexOf(spec.priority),
    checkpointId: null,
    progress: null,
    outdated: false,
    verification: null,
    verifies: made.verifies ?? null,
    rejected: false,
    freshGeneration: 1,
    failureClass: null,
    feedback: null,
    continueAttemptId: null,
    wake: null,
    retryAtMs: null,
    usdMicros: 0,
    createdAtMs: draft.nowMs,
    readyAtMs: null,
    startedAtMs: null,
    endedAtMs: null,
    updatedAtMs: draft.nowMs,
    deletedAtMs: null,
    purgeAtMs: null,
  };
  const cold: TaskSpecRow = {
    taskId: id,
    runId: run.id,
    projectId: run.projectId,
    title: spec.title ?? (spec.spec === '' ? key : titleOf(spec.spec)),
    spec,
    review: { state: 'none', by: null, at: null, note: null },
    plan: null,
    parentTaskId: spec.parent_task ?? null,
    rerunOf: null,
    origin: null,
    depth: 0,
    chain: null,
    failuresInRow: 0,
    wakes: 0,
    ...made.lineage,
  };
  return { task, cold };
}

/** Tells that a task exists; `status` is where the same command leaves it. */
export function tellCreated(draft: Draft, row: TaskSpecRow, key: string, status: string): void {
  draft.event(
    'task.created',
    { run: row.runId, task: row.taskId },
    {
      key,
      title: row.title,
      status,
      priority: row.spec.priority,
      ...(row.parentTaskId === null ? {} : { parent: row.parentTaskId }),
    },
  );
}

/** Writes an edge that is not satisfied yet; one that asks for nothing is from the start. */
export function putEdge(
  draft: Draft,
  run: Pick<RunRow, 'id' | 'projectId' | 'planVersion'>,
  upstreamId: string,
  downstreamId: string,
  edge: Pick<PlanDependency, 'type' | 'on' | 'contract_key' | 'as'>,
) {
  const row: DependencyRow = {
    id: draft.newId('dependency'),
    runId: run.id,
    projectId: run.projectId,
    upstreamId,
    downstreamId,
    type: edge.type,
    contractKey: edge.contract_key ?? null,
    inputName: edge.type === 'input' ? (edge.as ?? edge.contract_key ?? null) : null,
    rule: edge.on,
    satisfied: !isRequired(edge),
    planVersion: run.planVersion,
  };
  draft.put('dependencies', row);
  return row;
}

/** The internal id of a new task: `<project>.<chosen>` where the client chose one. */
export function taskIdOf(draft: Draft, chosen: string | undefined): string {
  if (chosen === undefined) return draft.newId('task');
  return chosen.includes('.') ? chosen : `${draft.project}.${chosen}`;
}
