import { describe, expect, test } from 'vitest';
import { planOf } from './plan.ts';
import { regressions } from './runs.ts';
import { Sim } from './sim.ts';
import { Sometimes } from './sometimes.ts';

/** Seeds of the slice that runs with the tests; `npm run soak` plays others without end. */
const SEEDS = 32;
/** Generous: it is a matter of seconds on a quiet machine. */
const msMax = 3_600_000;

describe('the simulator', () => {
  test(
    'plays the same seed twice in the same way, to the last event and row',
    async () => {
      const first = await new Sim(planOf('again')).run();
      const second = await new Sim(planOf('again')).run();
      expect(second.trace).toBe(first.trace);
      expect(second.steps).toBe(first.steps);
      expect(first.commits).toBeGreaterThan(50);
    },
    msMax,
  );

  test(
    'finds nothing wrong over its seeds, and every situation that matters comes up',
    async () => {
      const sometimes = new Sometimes();
      for (let seed = 0; seed < SEEDS; seed++) {
        const { faults, sometimes: seen } = await new Sim(planOf(String(seed))).run();
        const again = `npx tsx --conditions=source sim/src/main.ts --seed ${seed}`;
        expect({ again, faults: faults.slice(0, 3) }).toEqual({ again, faults: [] });
        sometimes.addAll(seen);
      }
      expect(sometimes.never()).toEqual([]);
    },
    msMax,
  );

  test.each([...regressions()])(
    'what failed once does not fail again: %s',
    async (_, { plan }) => {
      const { faults } = await new Sim(plan).run();
      expect(faults.slice(0, 3)).toEqual([]);
    },
    msMax,
  );
});
