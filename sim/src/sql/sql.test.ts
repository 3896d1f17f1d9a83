import { describe, expect, test } from 'vitest';
import { MUTANTS } from '../mutants.ts';
import { planOf } from '../plan.ts';
import { playOnSql, shortened } from './sql-run.ts';

/** Seeds of the slice that runs with the tests; `npm run soak` plays others. */
const SEEDS = ['2', '3'];
/** Generous: it is a matter of seconds on a quiet machine. */
const msMax = 3_600_000;

describe('the simulator on the database in SQL', () => {
  test(
    'reads and leaves the same as in memory, at every question and every commit',
    async () => {
      const plans = SEEDS.map((seed) => shortened(planOf(seed)));
      let commits = 0;
      await playOnSql(plans, ({ plan, result }) => {
        const again = `npx tsx --conditions=source sim/src/main.ts --sql --seed ${plan.seed}`;
        const faults = result.faults.slice(0, 3);
        expect({ again, faults }).toEqual({ again, faults: [] });
        commits += result.commits;
      });
      expect(commits).toBeGreaterThan(100);
    },
    msMax,
  );

  test.each(MUTANTS.filter((it) => it.sql !== undefined))(
    'a difference between the two is found: $name',
    async (mutant) => {
      const found: string[] = [];
      const plans = SEEDS.map((seed) => shortened(planOf(seed)));
      await playOnSql(
        plans,
        ({ result }) => found.push(...result.faults.map(({ check }) => check)),
        mutant,
      );
      expect(found).toContain(mutant.caughtBy);
    },
    msMax,
  );
});
