import type { TableName } from '@baton/kernel';
import { artifacts, attempts, checkpoints, notes, outputs } from './tables/attempt-tables.ts';
import { actions, awaits } from './tables/delegation-tables.ts';
import { needs, planParts, ready, timers } from './tables/queue-tables.ts';
import { dependencies, runs, tasks, taskSpecs } from './tables/run-tables.ts';
import { budgets, limits, limitSlots, parkings } from './tables/scheduling-tables.ts';
import type { Table } from './tables/table.ts';
import { joinTokens, workers } from './tables/worker-tables.ts';

/** Every table of the kernel, in the order in which their rows are written. */
export const TABLES: { readonly [T in TableName]: Table<T> } = {
  workers,
  joinTokens,
  runs,
  tasks,
  taskSpecs,
  dependencies,
  attempts,
  checkpoints,
  outputs,
  artifacts,
  notes,
  awaits,
  actions,
  needs,
  timers,
  planParts,
  limits,
  limitSlots,
  parkings,
  budgets,
  ready,
};
