import type { SimPlan } from '../plan.ts';
import { Sim, type Mutant, type SimResult } from '../sim.ts';
import { withVirtualPostgres } from './virtual-postgres.ts';

/** Longest that a seed at the database in SQL plays before everything heals; it costs real time. */
const actsUntilMs = 4 * 60_000;
const actsMax = 30;

/** The beginning of a plan. */
export function shortened(plan: SimPlan): SimPlan {
  const acts = plan.acts.filter((it) => it.atMs < actsUntilMs).slice(0, actsMax);
  return { ...plan, acts, playMs: actsUntilMs };
}

/** What came of a plan at the database in SQL, and at the one in memory with as many connections. */
export interface SqlPlayed {
  readonly plan: SimPlan;
  readonly result: SimResult;
}

/** Plays plans one after the other, each on an empty database in SQL. */
export async function playOnSql(
  plans: Iterable<SimPlan>,
  tell: (played: SqlPlayed) => void,
  mutant?: Mutant,
): Promise<void> {
  await withVirtualPostgres(async (postgres) => {
    for (const plan of plans) {
      await postgres.clear();
      tell({ plan, result: await new Sim(plan, mutant, postgres.admin).run() });
    }
  });
}
