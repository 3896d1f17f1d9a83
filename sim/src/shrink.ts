import type { Act, SimPlan } from './plan.ts';
import { CALMERS } from './profile.ts';
import type { Mutant } from './sim.ts';
import { Sim } from './sim.ts';

/** What a shrinking came to. */
export interface Shrunk {
  readonly plan: SimPlan;
  /** Simulations that it took. */
  readonly tries: number;
}

/**
 * The smallest plan found that fails the same check: acts are left out in ever smaller pieces, then faults
 * are switched off one by one. Stops after `triesMax` simulations.
 */
export async function shrink(
  plan: SimPlan,
  check: string,
  triesMax: number,
  mutant?: Mutant,
): Promise<Shrunk> {
  let best = plan;
  let tries = 0;
  const stillFails = async (candidate: SimPlan): Promise<boolean> => {
    if (tries >= triesMax) return false;
    tries += 1;
    const { faults } = await new Sim(candidate, mutant).run();
    return faults[0]?.check === check;
  };
  for (let piece = Math.ceil(best.acts.length / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let from = 0; from < best.acts.length;) {
      const acts: readonly Act[] = best.acts.toSpliced(from, piece);
      const candidate = { ...best, acts };
      if (await stillFails(candidate)) best = candidate;
      else from += piece;
    }
  }
  for (const calm of Object.values(CALMERS)) {
    const candidate = { ...best, profile: calm(best.profile) };
    if (await stillFails(candidate)) best = candidate;
  }
  if (best.replicas > 1 && (await stillFails({ ...best, replicas: 1 }))) {
    best = { ...best, replicas: 1 };
  }
  return { plan: best, tries };
}
