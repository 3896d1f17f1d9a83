import type { RunCreate } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { newBudget } from '../limits/new-budget.ts';
import type { RunRow } from '../rows.ts';

/** What a run consists of at its start; its budget is written. `planVersion` 0 marks one opened for a single task. */
export function newRun(
  draft: Draft,
  body: Pick<RunCreate, 'goal' | 'input' | 'labels' | 'policy' | 'deliver' | 'budgets'>,
  planVersion: 0 | 1,
): RunRow {
  const id = draft.newId('run');
  const owner = { id, projectId: draft.project, scope: 'run', runId: id } as const;
  const budget = newBudget(owner, body.budgets, 0);
  if (budget !== null) draft.create('budgets', budget);
  return {
    id,
    projectId: draft.project,
    goal: body.goal,
    status: 'running',
    reason: null,
    planning: 'idle',
    source: 'api',
    input: body.input,
    labels: body.labels,
    policy: body.policy,
    budgets: body.budgets ?? null,
    deliver: body.deliver,
    delivery: { state: 'none' },
    deliveryOrder: null,
    deliveryWorkerId: null,
    bases: {},
    planVersion,
    seq: 0,
    taskCount: 0,
    openTasks: 0,
    outOfPlay: 0,
    activeTasks: 0,
    failedTasks: 0,
    cancelledTasks: 0,
    needsHuman: 0,
    openAwaits: 0,
    barrierId: null,
    usdMicros: 0,
    pass: 0,
    lineageRoot: id,
    rerunOf: null,
    origin: null,
    createdBy: draft.actor.name ?? draft.actor.id ?? draft.actor.kind,
    createdAtMs: draft.nowMs,
    startedAtMs: draft.nowMs,
    endedAtMs: null,
    updatedAtMs: draft.nowMs,
    deletedAtMs: null,
    purgeAtMs: null,
  };
}
