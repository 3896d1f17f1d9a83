import { describe, expect, test } from 'vitest';
import { MUTANTS } from '../mutants.ts';
import { planOf, type SimPlan } from '../plan.ts';
import { CALM } from '../profile.ts';
import { Sometimes } from '../sometimes.ts';
import { playOnSql, shortened } from './sql-run.ts';

/** Seeds of the slice that runs with the tests; `npm run soak` plays others. */
const SEEDS = ['2', '3'];
/** Much at once, so that one batch is decided behind the other, and answers that are lost. */
const AHEAD = ['u1', 'u3'].map((seed): SimPlan => ({
  seed,
  replicas: 1,
  playMs: 120_000,
  profile: {
    ...CALM,
    storeMsMax: 100,
    commitAborted: 0.05,
    commitUnknownApplied: 0.08,
    commitUnknownLost: 0.04,
    commitUnknownLate: 0.08,
    workers: ['quick', 'quick'],
  },
  acts: Array.from({ length: 24 }, (_, a) => ({
    kind: 'client',
    atMs: 15_000 + 4_000 * a,
    what: 'crowd',
    a,
    b: 12,
    key: null,
  })),
}));
/** Generous: it is a matter of seconds on a quiet machine. */
const msMax = 3_600_000;

describe('the simulator on the database in SQL', () => {
  test(
    'reads and leaves the same as in memory, at every question and every commit',
    async () => {
      const plans = [...SEEDS.map((seed) => shortened(planOf(seed))), ...AHEAD];
      const sometimes = new Sometimes();
      let commits = 0;
      await playOnSql(plans, ({ plan, result }) => {
        const again = `npx tsx --conditions=source sim/src/main.ts --sql --seed ${plan.seed}`;
        const faults = result.faults.slice(0, 3);
        expect({ again, faults }).toEqual({ again, faults: [] });
        commits += result.commits;
        sometimes.addAll(result.sometimes);
      });
      expect(commits).toBeGreaterThan(100);
      expect([...sometimes.counts.keys()]).toEqual(
        expect.arrayContaining([
          'a batch was decided ahead',
          'a batch decided ahead was refused',
          'an unknown write was found done',
          'an unknown write was found undone',
        ]),
      );
    },
    msMax,
  );

  test.each(MUTANTS.filter((it) => it.sql !== undefined))(
    'a difference between the two is found: $name',
    async (mutant) => {
      const found: string[] = [];
      const isFound = (): boolean => found.includes(mutant.caughtBy);
      function* plans(): Generator<SimPlan> {
        for (const plan of AHEAD) if (!isFound()) yield plan;
        for (const seed of SEEDS) if (!isFound()) yield shortened(planOf(seed));
      }
      await playOnSql(
        plans(),
        ({ result }) => found.push(...result.faults.map(({ check }) => check)),
        mutant,
      );
      expect(found).toContain(mutant.caughtBy);
    },
    msMax,
  );
});
