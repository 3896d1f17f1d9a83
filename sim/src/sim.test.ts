import { describe, expect, test } from 'vitest';
import { planOf } from './plan.ts';
import { Sim } from './sim.ts';

describe('the simulator', () => {
  test('plays the same seed twice in the same way, to the last event and row', async () => {
    const plays = await Promise.all([]).then(async () => [
      await new Sim(planOf('twice')).run(),
      await new Sim(planOf('twice')).run(),
    ]);
    const [first, second] = plays;
    expect(second?.trace).toBe(first?.trace);
    expect(second?.steps).toBe(first?.steps);
    expect(first?.commits).toBeGreaterThan(50);
  });
});
