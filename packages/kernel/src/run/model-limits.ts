import { MODEL_LIMITS, type ModelLimits, type RunPolicy } from '@baton/contract';

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
