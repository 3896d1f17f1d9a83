import { describe, expect, test } from 'vitest';
import { MUTANTS, SEEDS_MAX } from './mutants.ts';
import { planOf, type SimPlan } from './plan.ts';
import { Sim } from './sim.ts';

const msMax = 3_600_000;
/** Those of the database in SQL are looked for there. */
const inMemory = MUTANTS.filter((it) => it.sql === undefined);

describe('a defect put in on purpose', () => {
  test.each(inMemory.map((mutant) => [mutant.name, mutant] as const))(
    '%s is found by the check that it is for',
    async (_, mutant) => {
      const found: string[] = [];
      for (let tries = 0; tries < SEEDS_MAX && !found.includes(mutant.caughtBy); tries++) {
        const plan = planOf(String((mutant.firstSeed ?? 0) + tries));
        const spoilt: SimPlan = { ...plan, profile: { ...plan.profile, ...mutant.profile } };
        const { faults } = await new Sim(spoilt, mutant).run();
        found.push(...faults.map(({ check }) => check));
      }
      expect(found).toContain(mutant.caughtBy);
    },
    msMax,
  );

  test(
    'is taken out again afterwards',
    async () => {
      for (const mutant of MUTANTS) mutant.apply?.()();
      const { faults } = await new Sim(planOf('0')).run();
      expect(faults).toEqual([]);
    },
    msMax,
  );
});
