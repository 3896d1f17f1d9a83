import type { RunPolicy } from '@baton/contract';
import { refuse } from '../refuse.ts';
import { clampPolicy, overAsked } from '../run/model-limits.ts';
import type { RunRow } from '../rows.ts';
import { setBudget } from './budget-set.ts';
import type { Handler } from './handler.ts';

/** Changes what a run is about and what it asks people for; what runs already goes on as it began. */
export const runUpdate: Handler<'run.update'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  const { goal, labels, policy, budgets } = command.body;
  if (policy?.on_task_failure === 'replan' && run.policy.on_task_failure !== 'replan') {
    return refuse(
      'not_supported',
      'A run that was not begun with on_task_failure replan cannot be switched to it; use continue or fail_run.',
    );
  }
  const changed: Partial<RunRow> = {
    ...(goal === undefined ? {} : { goal }),
    ...(labels === undefined ? {} : { labels }),
    ...(budgets === undefined ? {} : { budgets }),
    ...(policy === undefined
      ? {}
      : { policy: clampPolicy({ ...run.policy, ...definedOf(policy) }) }),
  };
  const fields = Object.keys(changed);
  if (fields.length === 0) return { run: run.id, already: true };
  draft.put('runs', { ...run, ...changed });
  if (budgets !== undefined) {
    const owner = { id: run.id, projectId: run.projectId, scope: 'run', runId: run.id } as const;
    setBudget(draft, owner, { ...budgets, usd: budgets.usd ?? null }, run.usdMicros);
  }
  draft.event('run.updated', { run: run.id }, { fields });
  const over = overAsked({ ...run.policy, limits: policy?.limits });
  if (Object.keys(over).length > 0) {
    draft.event('run.limits_clamped', { run: run.id }, { limits: over });
  }
  return { run: run.id };
};

function definedOf(patch: {
  readonly [P in keyof RunPolicy]?: RunPolicy[P] | undefined;
}): Partial<RunPolicy> {
  return Object.fromEntries(
    Object.entries(patch).filter(([, value]) => value !== undefined),
  ) as Partial<RunPolicy>;
}
