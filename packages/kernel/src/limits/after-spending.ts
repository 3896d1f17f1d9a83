import { isTerminalRun, isTerminalTask } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { list, rows } from '../need.ts';
import type { AttemptRow, BudgetRow } from '../rows.ts';
import { pauseRun } from '../run/pause-run.ts';
import { BUDGET } from '../task/change-task.ts';
import { holdAnew } from '../task/make-ready.ts';
import { pauseTask } from '../task/pause-task.ts';
import { budgetsOver, leftOf } from './budget.ts';

/** Does what follows from spending, once the command that spent has done everything else. */
export function finishSpending(draft: Draft): void {
  for (const it of draft.takeDeferred()) {
    if (it.kind === 'funds') {
      offerUnfunded(draft, it.run);
      continue;
    }
    const budget = draft.find('budgets', it.budget);
    if (budget !== null && budget.spentMicros >= budget.limitMicros) {
      pauseFor(draft, budget, draft.get('attempts', it.attempt));
    }
  }
}

/** Nothing goes on for money that is not there; raising the budget resumes it. */
function pauseFor(draft: Draft, budget: BudgetRow, attempt: AttemptRow): void {
  if (budget.scope === 'task') {
    const task = draft.get('tasks', attempt.taskId);
    if (isTerminalTask(task.status) || task.status === 'paused') return;
    draft.load(rows('taskSpecs', [task.id]));
    pauseTask(draft, task.id, BUDGET);
    return;
  }
  const { status, id } = draft.get('runs', attempt.runId);
  if (isTerminalRun(status) || status === 'paused' || status === 'cancelling') return;
  pauseRun(draft, id, BUDGET, BUDGET);
}

/**
 * Lets as many tasks of a run that wait for money be taken as its own budgets and theirs have money for.
 * Whether the project has is looked at when they are taken: nothing is held in the queue for that.
 */
export function offerUnfunded(draft: Draft, runId: string): void {
  draft.load([list('unfundedOfRun', runId)]);
  const waiting = draft.list('unfundedOfRun', runId).toSorted((a, b) => a.seq - b.seq);
  const ids = waiting.map((it) => it.taskId);
  draft.load([...rows('runs', [runId]), ...rows('tasks', ids), ...rows('taskSpecs', ids)]);
  let given = 0;
  for (const id of ids) {
    const task = draft.get('tasks', id);
    const budgets = budgetsOver(draft, task).filter((it) => it.scope !== 'project');
    if (budgets.some((it) => leftOf(it) - given <= 0)) continue;
    given += budgets.at(-1)?.reserveMicros ?? 0;
    holdAnew(draft, task);
  }
}
