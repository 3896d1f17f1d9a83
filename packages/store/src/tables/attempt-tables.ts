import { defineTable } from './table.ts';

/** Kernel table `attempts`. */
export const attempts = defineTable('attempts', {
  sqlName: 'attempts',
  key: 'id',
  columns: {
    id: 'text',
    taskId: 'text',
    runId: 'text',
    projectId: 'text',
    number: 'integer',
    generation: 'integer',
    epoch: 'bigint',
    workerId: 'text',
    engine: 'text',
    status: 'text',
    failureClass: 'text?',
    reason: 'text?',
    conversation: 'text?',
    promptSha256: 'text?',
    manifest: 'json',
    manifestSha256: 'text',
    usage: 'json?',
    exitCode: 'integer?',
    result: 'json?',
    reportSha256: 'text?',
    leaseSeconds: 'integer',
    leaseUntilMs: 'ms',
    missedBeats: 'integer',
    claimedAtMs: 'ms',
    startedAtMs: 'ms?',
    endedAtMs: 'ms?',
  },
  updates: {
    beat: ['leaseUntilMs', 'missedBeats', 'usage', 'conversation'],
    life: [
      'status',
      'failureClass',
      'reason',
      'conversation',
      'promptSha256',
      'usage',
      'exitCode',
      'result',
      'reportSha256',
      'leaseUntilMs',
      'missedBeats',
      'startedAtMs',
      'endedAtMs',
    ],
  },
  guard: ['epoch', 'status'],
});

/** Kernel table `checkpoints`. */
export const checkpoints = defineTable('checkpoints', {
  sqlName: 'checkpoints',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    runId: 'text',
    taskId: 'text?',
    attemptId: 'text?',
    clientId: 'text?',
    kind: 'text',
    question: 'text',
    context: 'json',
    options: 'json',
    freeform: 'boolean',
    defaultOption: 'text?',
    timeoutAtMs: 'ms?',
    onTimeout: 'text',
    answerBy: 'text',
    resume: 'text',
    factsSha256: 'text?',
    status: 'text',
    resolution: 'json?',
    openedBy: 'text',
    openedAtMs: 'ms',
    closedAtMs: 'ms?',
  },
  updates: { decision: ['status', 'resolution', 'closedAtMs'] },
  guard: ['status'],
});

/** Kernel table `outputs`. */
export const outputs = defineTable('outputs', {
  sqlName: 'outputs',
  key: 'id',
  columns: {
    id: 'text',
    taskId: 'text',
    runId: 'text',
    projectId: 'text',
    attemptId: 'text',
    generation: 'integer',
    key: 'text',
    type: 'text',
    data: 'json',
    sha256: 'text',
    fulfilledAtMs: 'ms',
  },
});

/** Kernel table `artifacts`. */
export const artifacts = defineTable('artifacts', {
  sqlName: 'artifacts',
  key: 'id',
  columns: {
    id: 'text',
    taskId: 'text',
    runId: 'text',
    projectId: 'text',
    attemptId: 'text',
    name: 'text',
    kind: 'text',
    mediaType: 'text',
    size: 'bigint',
    sha256: 'text',
    meta: 'json',
    createdAtMs: 'ms',
  },
});

/** Kernel table `notes`. */
export const notes = defineTable('notes', {
  sqlName: 'notes',
  key: 'id',
  columns: {
    id: 'text',
    taskId: 'text',
    runId: 'text',
    projectId: 'text',
    author: 'text',
    text: 'text',
    urgent: 'boolean',
    createdAtMs: 'ms',
  },
});
