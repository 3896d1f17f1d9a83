import type { AttemptRow, RunRow, TaskRow } from '../rows.ts';

/*
 * The widest rows, which nearly every command changes, are copied field by field. A spread of a spread
 * of a row gives each copy a hidden class of its own; engines then give up and add 40 fields one by one:
 * eight times the time and seven times the memory, and as much again for whoever reads such rows.
 */

/** A run with some of it changed; of several changes of a field the last one counts. */
export function withRun(row: RunRow, ...changes: readonly Partial<RunRow>[]): RunRow {
  const copy: RunRow = {
    id: row.id,
    projectId: row.projectId,
    goal: row.goal,
    status: row.status,
    reason: row.reason,
    planning: row.planning,
    source: row.source,
    input: row.input,
    labels: row.labels,
    policy: row.policy,
    budgets: row.budgets,
    deliver: row.deliver,
    delivery: row.delivery,
    deliveryOrder: row.deliveryOrder,
    deliveryWorkerId: row.deliveryWorkerId,
    bases: row.bases,
    planVersion: row.planVersion,
    seq: row.seq,
    taskCount: row.taskCount,
    openTasks: row.openTasks,
    outOfPlay: row.outOfPlay,
    activeTasks: row.activeTasks,
    failedTasks: row.failedTasks,
    cancelledTasks: row.cancelledTasks,
    needsHuman: row.needsHuman,
    openAwaits: row.openAwaits,
    barrierId: row.barrierId,
    usdMicros: row.usdMicros,
    pass: row.pass,
    lineageRoot: row.lineageRoot,
    rerunOf: row.rerunOf,
    origin: row.origin,
    createdBy: row.createdBy,
    createdAtMs: row.createdAtMs,
    startedAtMs: row.startedAtMs,
    endedAtMs: row.endedAtMs,
    updatedAtMs: row.updatedAtMs,
    deletedAtMs: row.deletedAtMs,
    purgeAtMs: row.purgeAtMs,
  };
  return Object.assign(copy, ...changes) as RunRow;
}

/** A task with some of it changed; of several changes of a field the last one counts. */
export function withTask(row: TaskRow, ...changes: readonly Partial<TaskRow>[]): TaskRow {
  const copy: TaskRow = {
    id: row.id,
    runId: row.runId,
    projectId: row.projectId,
    key: row.key,
    position: row.position,
    kind: row.kind,
    status: row.status,
    reason: row.reason,
    pausedFrom: row.pausedFrom,
    generation: row.generation,
    epoch: row.epoch,
    planVersion: row.planVersion,
    pending: row.pending,
    outOfPlay: row.outOfPlay,
    approved: row.approved,
    attemptCount: row.attemptCount,
    freeRetries: row.freeRetries,
    attemptId: row.attemptId,
    resultAttemptId: row.resultAttemptId,
    workerId: row.workerId,
    assignedWorker: row.assignedWorker,
    needsId: row.needsId,
    priority: row.priority,
    checkpointId: row.checkpointId,
    progress: row.progress,
    outdated: row.outdated,
    verification: row.verification,
    verifies: row.verifies,
    rejected: row.rejected,
    freshGeneration: row.freshGeneration,
    failureClass: row.failureClass,
    feedback: row.feedback,
    continueAttemptId: row.continueAttemptId,
    wake: row.wake,
    retryAtMs: row.retryAtMs,
    usdMicros: row.usdMicros,
    createdAtMs: row.createdAtMs,
    readyAtMs: row.readyAtMs,
    startedAtMs: row.startedAtMs,
    endedAtMs: row.endedAtMs,
    updatedAtMs: row.updatedAtMs,
    deletedAtMs: row.deletedAtMs,
    purgeAtMs: row.purgeAtMs,
  };
  return Object.assign(copy, ...changes) as TaskRow;
}

/** A attempt with some of it changed; of several changes of a field the last one counts. */
export function withAttempt(
  row: AttemptRow,
  ...changes: readonly Partial<AttemptRow>[]
): AttemptRow {
  const copy: AttemptRow = {
    id: row.id,
    taskId: row.taskId,
    runId: row.runId,
    projectId: row.projectId,
    number: row.number,
    generation: row.generation,
    epoch: row.epoch,
    workerId: row.workerId,
    engine: row.engine,
    status: row.status,
    failureClass: row.failureClass,
    reason: row.reason,
    conversation: row.conversation,
    promptSha256: row.promptSha256,
    manifest: row.manifest,
    manifestSha256: row.manifestSha256,
    usage: row.usage,
    exitCode: row.exitCode,
    result: row.result,
    orphanResult: row.orphanResult,
    reportSha256: row.reportSha256,
    leaseSeconds: row.leaseSeconds,
    leaseUntilMs: row.leaseUntilMs,
    parkMode: row.parkMode,
    missedBeats: row.missedBeats,
    claimedAtMs: row.claimedAtMs,
    startedAtMs: row.startedAtMs,
    endedAtMs: row.endedAtMs,
    holds: row.holds,
  };
  return Object.assign(copy, ...changes) as AttemptRow;
}
