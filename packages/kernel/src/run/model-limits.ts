import {
  LIMITS,
  MODEL_LIMITS,
  refusal,
  type Actor,
  type ModelLimits,
  type Plan,
  type Refusal,
  type RunPolicy,
} from '@baton/contract';
import type { RunRow } from '../rows.ts';

const NAMES = Object.keys(MODEL_LIMITS) as (keyof ModelLimits)[];

/** How much models may add to a run: what its policy asks for, within the absolutes. */
export function modelLimits(policy: RunPolicy): ModelLimits {
  const asked = policy.limits ?? {};
  const given = NAMES.map((name) => {
    const { preset, absolute } = MODEL_LIMITS[name];
    return [name, Math.min(asked[name] ?? preset, absolute)] as const;
  });
  return Object.fromEntries(given) as ModelLimits;
}

/** What a policy asks for beyond the absolutes, by name; empty when nothing. */
export function overAsked(policy: RunPolicy): Record<string, { asked: number; given: number }> {
  const found: Record<string, { asked: number; given: number }> = {};
  for (const name of NAMES) {
    const asked = policy.limits?.[name];
    const { absolute } = MODEL_LIMITS[name];
    if (asked !== undefined && asked > absolute) found[name] = { asked, given: absolute };
  }
  return found;
}

/** The policy with each limit within its absolute. */
export function clampPolicy(policy: RunPolicy): RunPolicy {
  const over = overAsked(policy);
  if (Object.keys(over).length === 0) return policy;
  const clamped = Object.entries(over).map(([name, { given }]) => [name, given]);
  return { ...policy, limits: { ...policy.limits, ...Object.fromEntries(clamped) } };
}

/** A number that agents may not pass, and what it is called where it is said. */
export interface Bound {
  readonly name: string;
  readonly max: number;
}

/** How deep, and how wide, agents of a run hand work on: what its policy asks for, else as for all runs. */
export function handingOnLimits(policy: RunPolicy): {
  readonly depth: Bound;
  readonly open: Bound;
} {
  const { depth, children_per_plan: children } = modelLimits(policy);
  const asked = policy.limits ?? {};
  return {
    depth:
      asked.depth === undefined
        ? { name: 'spawnDepthMax', max: LIMITS.spawnDepthMax }
        : { name: 'policy.limits.depth', max: depth },
    open:
      asked.children_per_plan === undefined
        ? { name: 'openChildrenMax', max: LIMITS.openChildrenMax }
        : { name: 'policy.limits.children_per_plan', max: children },
  };
}

/** Why a new plan is more than a model may add to a run, or null. People may add what they like. */
export function modelPlanFault(run: RunRow, plan: Plan, { kind }: Actor): Refusal | null {
  if (kind !== 'agent') return null;
  const most = modelLimits(run.policy);
  const counts: readonly (readonly [keyof ModelLimits, number, string])[] = [
    ['replans', run.planVersion, 'new plans'],
    ['children_per_plan', plan.tasks.length, 'tasks in one plan'],
    ['edges_per_plan', plan.dependencies.length, 'dependencies in one plan'],
    ['tasks_per_run', run.taskCount + plan.tasks.length, 'tasks in the run'],
  ];
  for (const [name, count, words] of counts) {
    if (count <= most[name]) continue;
    return refusal(
      'limit_exceeded',
      `A model may give a run at most ${most[name]} ${words} (policy.limits.${name}), and this would be ${count}; plan less, or ask a person.`,
      { limit: name, max: most[name], asked: count },
    );
  }
  return null;
}
