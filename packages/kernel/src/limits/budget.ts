import { DEFAULTS } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { decimalUsd } from '../money.ts';
import { rows } from '../need.ts';
import type { AttemptRow, BudgetRow, TaskRow, UsdMicros } from '../rows.ts';
import { withAttempt } from '../rows/changed-row.ts';
import { BUDGET, changeTask } from '../task/change-task.ts';

/**
 * Budgets form a tree: project, run, task. An attempt is charged to each that there is above it. Money is
 * set aside before it starts, so that what runs at a time cannot spend it twice; what it reports is
 * taken off that. The worst that can be spent beyond a budget is what live agents use between two reports.
 */

/** What is left to set aside; below nothing when more was spent than allowed. */
export function leftOf(budget: BudgetRow): UsdMicros {
  return budget.limitMicros - budget.spentMicros - budget.reservedMicros;
}

/** The budgets that the attempts of a task are charged to, the widest first. */
export function budgetsOver(draft: Draft, task: TaskRow): BudgetRow[] {
  const run = draft.get('runs', task.runId);
  const { spec } = draft.get('taskSpecs', task.id);
  const ids = [
    run.projectId,
    ...(run.budgets?.usd === undefined ? [] : [run.id]),
    ...(spec.budgets?.usd === undefined ? [] : [task.id]),
  ];
  draft.load(rows('budgets', ids));
  return ids.flatMap((id) => draft.find('budgets', id) ?? []);
}

/** What an attempt of a task may set aside now, and where; or the first budget that has nothing left. */
export type Funds =
  | { readonly budgets: readonly BudgetRow[]; readonly reserve: UsdMicros }
  | { readonly short: BudgetRow };

/** Commands of the shell cost nothing. The narrowest budget says how much an attempt sets aside. */
export function fundsFor(draft: Draft, task: TaskRow, engine: string): Funds {
  const budgets = engine === 'shell' ? [] : budgetsOver(draft, task);
  const short = budgets.find((it) => leftOf(it) <= 0);
  if (short !== undefined) return { short };
  const wanted = budgets.at(-1)?.reserveMicros ?? 0;
  return { budgets, reserve: Math.min(wanted, ...budgets.map(leftOf)) };
}

/** Sets money aside for a new attempt. */
export function setAside(
  draft: Draft,
  { budgets, reserve }: Exclude<Funds, { short: unknown }>,
): void {
  for (const it of budgets) {
    draft.put('budgets', { ...it, reservedMicros: it.reservedMicros + reserve });
  }
}

/** Takes what an attempt has spent more off what is set aside for it. Answers the attempt. */
export function spend(draft: Draft, attempt: AttemptRow, added: UsdMicros): AttemptRow {
  const { holds } = attempt;
  if (holds === null || holds.budgets.length === 0 || added === 0) return attempt;
  const reserved = Math.max(0, holds.reserved - Math.max(0, added));
  draft.load(rows('budgets', holds.budgets));
  for (const id of holds.budgets) {
    const before = draft.find('budgets', id);
    if (before === null) continue;
    const after = {
      ...before,
      spentMicros: Math.max(0, before.spentMicros + added),
      reservedMicros: before.reservedMicros - (holds.reserved - reserved),
    };
    draft.put('budgets', tellShare(draft, before, after, attempt));
  }
  return withAttempt(attempt, { holds: { ...holds, reserved } });
}

/** Gives back what an attempt set aside and did not spend; others may start with it. */
export function releaseFunds(draft: Draft, attempt: AttemptRow): AttemptRow {
  const { holds } = attempt;
  if (holds === null || holds.budgets.length === 0) return attempt;
  draft.load(rows('budgets', holds.budgets));
  for (const id of holds.budgets) {
    const budget = draft.find('budgets', id);
    if (budget === null) continue;
    draft.put('budgets', { ...budget, reservedMicros: budget.reservedMicros - holds.reserved });
  }
  draft.defer({ kind: 'funds', run: attempt.runId });
  return withAttempt(attempt, { holds: { ...holds, budgets: [], reserved: 0 } });
}

/** Tells once when most of a budget is spent, and pauses what it is of when all of it is. */
function tellShare(
  draft: Draft,
  before: BudgetRow,
  after: BudgetRow,
  attempt: AttemptRow,
): BudgetRow {
  const about = {
    run: attempt.runId,
    task: after.scope === 'task' ? attempt.taskId : null,
  };
  const said = {
    scope: after.scope,
    limit_usd: decimalUsd(after.limitMicros),
    spent_usd: decimalUsd(after.spentMicros),
  };
  const isMost = after.spentMicros >= after.limitMicros * DEFAULTS.budgetWarnShare;
  if (isMost && !before.warned) draft.event('budget.warned', about, said);
  if (after.spentMicros >= after.limitMicros) {
    if (before.spentMicros < before.limitMicros) draft.event('budget.exhausted', about, said);
    draft.defer({ kind: 'exhausted', budget: after.id, attempt: attempt.id });
  }
  return { ...after, warned: before.warned || isMost };
}

/** Keeps a ready task out of the way until money is given back to its run. */
export function holdUnfunded(draft: Draft, task: TaskRow): void {
  const ready = draft.get('ready', task.id);
  changeTask(draft, task.id, { reason: BUDGET });
  draft.put('ready', { ...ready, held: BUDGET });
  draft.event('task.ready', { run: task.runId, task: task.id }, { reason: BUDGET });
}

/** Has attempts that are open charged to a budget that is new, also those of one before it with its id. */
export function adoptSpending(
  draft: Draft,
  budgetId: string,
  attempts: readonly AttemptRow[],
): void {
  for (const attempt of attempts) {
    const holds = attempt.holds ?? { slots: [], budgets: [], reserved: 0 };
    if (attempt.engine === 'shell') continue;
    if (!holds.budgets.includes(budgetId)) {
      const budgets = [...holds.budgets, budgetId];
      draft.put('attempts', { ...attempt, holds: { ...holds, budgets } });
    }
    const budget = draft.get('budgets', budgetId);
    draft.put('budgets', { ...budget, reservedMicros: budget.reservedMicros + holds.reserved });
  }
}
