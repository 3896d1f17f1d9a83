import { isOpenAttempt, type BudgetSet, type BudgetSpec } from '@baton/contract';
import { offerUnfunded } from '../limits/after-spending.ts';
import { adoptSpending, leftOf } from '../limits/budget.ts';
import { newBudget } from '../limits/new-budget.ts';
import type { Draft } from '../draft.ts';
import { decimalUsd } from '../money.ts';
import { list, lists, row } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { AttemptRow, BudgetRow } from '../rows.ts';
import { resumeRun } from '../run/pause-run.ts';
import { BUDGET } from '../task/change-task.ts';
import { loadLives } from '../task/end-task.ts';
import { resumeTask } from '../task/pause-task.ts';
import type { Handler } from './handler.ts';

/** Sets, raises, lowers or takes away what a project, run or task may spend. */
export const budgetSet: Handler<'budget.set'> = (draft, command) => {
  const { scope, id, body } = command;
  if (scope === 'project') {
    if (id !== draft.project) return refuse('not_found', `There is no project ${id}.`);
    setBudget(draft, { id, projectId: id, scope, runId: null }, body, 0);
    return {};
  }
  if (scope === 'run') {
    const run = draft.own('runs', id);
    if (run === null) return refuse('not_found', `There is no run ${id}.`);
    draft.put('runs', { ...run, budgets: specOf(body) });
    setBudget(draft, { id, projectId: run.projectId, scope, runId: id }, body, run.usdMicros);
    return { run: id };
  }
  const task = draft.own('tasks', id);
  if (task === null) return refuse('not_found', `There is no task ${id}.`);
  const cold = draft.get('taskSpecs', id);
  draft.load([row('runs', task.runId)]);
  const { budgets: _, ...spec } = cold.spec;
  const budgets = specOf(body);
  draft.put('taskSpecs', { ...cold, spec: budgets === null ? spec : { ...spec, budgets } });
  const owner = { id, projectId: task.projectId, scope, runId: task.runId } as const;
  setBudget(draft, owner, body, task.usdMicros);
  return { run: task.runId, task: id };
};

function specOf({ usd, reserve_usd }: BudgetSet): BudgetSpec | null {
  if (usd === null) return null;
  return { usd, ...(reserve_usd === undefined ? {} : { reserve_usd }) };
}

type Owner = Pick<BudgetRow, 'id' | 'projectId' | 'scope' | 'runId'>;

/** `spentMicros` counts where there was no budget before. What runs is charged to it from now on. */
export function setBudget(draft: Draft, owner: Owner, body: BudgetSet, spentMicros: number): void {
  draft.load([row('budgets', owner.id)]);
  const before = draft.find('budgets', owner.id);
  const after = newBudget(owner, specOf(body), before?.spentMicros ?? spentMicros);
  if (after === null && before === null) return;
  if (after === null) draft.remove('budgets', owner.id);
  else {
    draft.put('budgets', {
      ...after,
      reservedMicros: before?.reservedMicros ?? 0,
      reserveMicros:
        body.reserve_usd === undefined && before !== null
          ? before.reserveMicros
          : after.reserveMicros,
    });
    if (before === null) adoptSpending(draft, owner.id, openAttemptsUnder(draft, owner));
  }
  draft.event(
    'budget.set',
    { run: owner.runId, task: owner.scope === 'task' ? owner.id : null },
    {
      scope: owner.scope,
      limit_usd: after === null ? null : decimalUsd(after.limitMicros),
      reserve_usd: after === null ? null : decimalUsd(after.reserveMicros),
    },
  );
  if (after === null || leftOf(draft.get('budgets', owner.id)) > 0) goOn(draft, owner);
}

function openAttemptsUnder(draft: Draft, { id, scope, projectId }: Owner): readonly AttemptRow[] {
  if (scope === 'run') return draft.list('openAttemptsOfRun', id);
  if (scope === 'task') {
    const { attemptId } = draft.get('tasks', id);
    const attempt = attemptId === null ? null : draft.find('attempts', attemptId);
    return attempt !== null && isOpenAttempt(attempt.status) ? [attempt] : [];
  }
  draft.load([list('workersOfProject', projectId)]);
  const workers = draft.list('workersOfProject', projectId).map((it) => it.id);
  draft.load(lists('openAttemptsOfWorker', workers));
  return workers.flatMap((worker) => draft.list('openAttemptsOfWorker', worker));
}

/** What was paused or held back for want of money goes on. */
function goOn(draft: Draft, { id, scope, projectId, runId }: Owner): void {
  if (scope === 'task') {
    const task = draft.get('tasks', id);
    loadLives(draft, [id]);
    if (task.status === 'paused' && task.reason === BUDGET) resumeTask(draft, id);
  }
  if (runId !== null) {
    resumeFor(draft, runId);
    offerUnfunded(draft, runId);
    return;
  }
  draft.load([list('unfundedRunsOfProject', projectId)]);
  for (const run of draft.list('unfundedRunsOfProject', projectId)) resumeFor(draft, run.id);
}

/** Resumes a run that was paused for want of money, if there is some by now. */
function resumeFor(draft: Draft, runId: string): void {
  const run = draft.get('runs', runId);
  if (run.status !== 'paused' || run.reason !== BUDGET) return;
  draft.load([row('budgets', run.projectId), row('budgets', run.id)]);
  const over = [draft.find('budgets', run.projectId), draft.find('budgets', run.id)];
  if (over.some((it) => it !== null && it.spentMicros >= it.limitMicros)) return;
  resumeRun(draft, runId);
}
