import { DEFAULTS, type BudgetSpec } from '@baton/contract';
import { usdMicrosOf } from '../money.ts';
import type { BudgetRow, UsdMicros } from '../rows.ts';

/** The row of a new budget, or null where a spec names none. */
export function newBudget(
  owner: Pick<BudgetRow, 'id' | 'projectId' | 'scope' | 'runId'>,
  spec: BudgetSpec | null | undefined,
  spentMicros: UsdMicros,
): BudgetRow | null {
  if (spec?.usd === undefined) return null;
  const limitMicros = usdMicrosOf(String(spec.usd));
  return {
    ...owner,
    limitMicros,
    spentMicros,
    reservedMicros: 0,
    reserveMicros: usdMicrosOf(String(spec.reserve_usd ?? DEFAULTS.reserveUsd)),
    warned: spentMicros >= limitMicros * DEFAULTS.budgetWarnShare,
  };
}
