import { defineTable } from './table.ts';

/** Kernel table `timers`. */
export const timers = defineTable('timers', {
  sqlName: 'timers',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    runId: 'text',
    taskId: 'text?',
    attemptId: 'text?',
    checkpointId: 'text?',
    kind: 'text',
    guard: 'bigint',
    dueAtMs: 'ms',
  },
  isQueue: true,
});

/** Kernel table `ready`. */
export const ready = defineTable('ready', {
  sqlName: 'ready',
  key: 'taskId',
  columns: {
    taskId: 'text',
    runId: 'text',
    projectId: 'text',
    needsId: 'text',
    priority: 'smallint',
    pass: 'float',
    seq: 'bigint',
    held: 'text?',
  },
  isQueue: true,
});

/** Kernel table `planParts`. */
export const planParts = defineTable('planParts', {
  sqlName: 'plan_parts',
  key: 'id',
  columns: {
    id: 'text',
    runId: 'text',
    projectId: 'text',
    part: 'integer',
    tasks: 'json',
    edges: 'json',
  },
  isQueue: true,
});

/** Kernel table `needs`. */
export const needs = defineTable('needs', {
  sqlName: 'needs',
  key: 'id',
  columns: { id: 'text', projectId: 'text', needs: 'json' },
  isShared: true,
});
