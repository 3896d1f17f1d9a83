import { defineTable } from './table.ts';

/** Kernel table `awaits`. */
export const awaits = defineTable('awaits', {
  sqlName: 'awaits',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    runId: 'text',
    taskId: 'text',
    attemptId: 'text',
    generation: 'integer',
    tasks: 'json',
    crossesRuns: 'boolean',
    policy: 'text',
    quorum: 'integer?',
    needed: 'integer',
    status: 'text',
    settled: 'boolean',
    partial: 'boolean',
    results: 'json',
    deadlineAtMs: 'ms',
    openedAtMs: 'ms',
    closedAtMs: 'ms?',
  },
  updates: { outcome: ['status', 'settled', 'partial', 'results', 'closedAtMs'] },
  guard: ['status'],
});

/** Kernel table `actions`. */
export const actions = defineTable('actions', {
  sqlName: 'actions',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    runId: 'text',
    taskId: 'text',
    attemptId: 'text',
    call: 'text',
    kind: 'text',
    name: 'text',
    target: 'text',
    effect: 'text',
    status: 'text',
    inputSha256: 'text?',
    refs: 'json',
    startedAtMs: 'ms',
    endedAtMs: 'ms?',
  },
  updates: { end: ['status', 'endedAtMs'] },
  guard: ['status'],
});
