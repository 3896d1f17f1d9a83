import { defineTable } from './table.ts';

/** Kernel table `limits`. A start moves `tat` on from what it was, under the limit that it saw. */
export const limits = defineTable('limits', {
  sqlName: 'limits',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    key: 'text',
    maxRunning: 'integer?',
    ratePerMinute: 'float?',
    burst: 'integer',
    tat: 'float',
    updatedAtMs: 'ms',
  },
  updates: { start: ['tat'] },
  guard: ['tat', 'updatedAtMs'],
});

/** Kernel table `limitSlots`. A place changes hands only from whom it was seen with. */
export const limitSlots = defineTable('limitSlots', {
  sqlName: 'limit_slots',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    limitId: 'text',
    no: 'integer',
    attemptId: 'text',
    taskId: 'text',
    surplus: 'boolean',
  },
  updates: { holder: ['attemptId', 'taskId', 'surplus'] },
  guard: ['attemptId', 'surplus'],
});

/** Kernel table `parkings`. */
export const parkings = defineTable('parkings', {
  sqlName: 'parkings',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    engine: 'text',
    account: 'text?',
    workerId: 'text',
    untilMs: 'ms',
    reason: 'text',
  },
});

/** Kernel table `budgets`. Sums are moved on from what they were. */
export const budgets = defineTable('budgets', {
  sqlName: 'budgets',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    scope: 'text',
    runId: 'text?',
    limitMicros: 'bigint',
    spentMicros: 'bigint',
    reservedMicros: 'bigint',
    reserveMicros: 'bigint',
    warned: 'boolean',
  },
  updates: { sums: ['spentMicros', 'reservedMicros', 'warned'] },
  guard: ['limitMicros', 'spentMicros', 'reservedMicros'],
});
