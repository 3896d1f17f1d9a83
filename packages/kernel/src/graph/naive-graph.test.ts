import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';
import { naiveFaults } from '../testing/naive-graph.ts';
import { STEPS, type Step } from '../testing/random-steps.ts';

/** What moves graphs: work that ends in every way, people who change their minds, new edges and plans. */
const WEIGHTS: Partial<Record<Step['what'], number>> = {
  run: 3,
  dispatch: 12,
  complete: 14,
  fail: 6,
  failCheck: 3,
  resolve: 4,
  decideTask: 2,
  assign: 1,
  cancelTask: 1,
  retry: 4,
  relaunch: 2,
  review: 4,
  replan: 4,
  addTask: 2,
  addEdge: 3,
  removeEdge: 2,
  pauseTask: 1,
  resumeTask: 1,
  expire: 1,
  time: 3,
};

const stepOf = fc.noBias(
  fc.record({
    what: fc.oneof(
      ...(Object.entries(WEIGHTS) as [Step['what'], number][]).map(([what, weight]) => ({
        weight,
        arbitrary: fc.constant(what),
      })),
    ),
    a: fc.nat({ max: 1_000 }),
    b: fc.nat({ max: 1_000 }),
  }),
);

/** Work that goes on to some end, without which hardly anything is ever skipped behind a shut gate. */
const ENDING: readonly Step[] = Array.from({ length: 8 }, (_, round): Step[] => [
  { what: 'dispatch', a: 0, b: 0 },
  { what: 'complete', a: 0, b: 1 },
  { what: 'complete', a: 0, b: 1 },
  { what: 'complete', a: 0, b: 1 },
  { what: 'resolve', a: round, b: 0 },
  { what: 'review', a: round, b: 3 * round + 1 },
  { what: 'time', a: 60, b: 0 },
]).flat();

describe('who is ready, skipped and out of play', () => {
  test('is after every step what a full scan by the plain rules says', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(stepOf, { minLength: 20, maxLength: 100, size: 'max' }), (steps) => {
        const model = new Model();
        model.worker('w1', { slots: 4 });
        model.worker('w2', { slots: 2, engines: ['shell', 'codex'] });
        const log: string[] = [];
        for (const { what, a, b } of [...steps, ...ENDING]) {
          log.push(`${what}(${a}, ${b})`);
          STEPS[what](model, a, b);
          const faults = [...naiveFaults(model.world), ...faultsOf(model.world)];
          if (faults.length > 0) throw new Error(`after ${log.join(' ')}:\n${faults.join('\n')}`);
          for (const task of model.world.all('tasks')) {
            seen.add(task.status);
            const [why] = (task.reason ?? '').split(':');
            if (why !== undefined) seen.add(`${task.status} ${why}`);
          }
        }
      }),
      { numRuns: 100 },
    );
    // A run of this test that met none of these would prove nothing.
    for (const state of [
      'completed',
      'verifying',
      'superseded replanned',
      'skipped condition_not_met',
      'skipped dependency_failed',
      'skipped gate_failed',
      'blocked dependency_failed',
    ]) {
      expect(seen).toContain(state);
    }
  }, 300_000);

  test('the scan itself finds what is wrong', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {}, b: {}, c: {} }, ['a -> b', 'b -> c'], { deliver: 'none' });
    const b = model.byKey(run, 'b');
    const put = (row: typeof b): string[] => {
      model.world.apply([{ table: 'tasks', id: row.id, row }]);
      return naiveFaults(model.world);
    };
    expect(put({ ...b, status: 'ready' })).toHaveLength(1);
    expect(put({ ...b, outOfPlay: true })).toHaveLength(1);
    expect(put(b)).toEqual([]);
    const a = model.byKey(run, 'a');
    expect(put({ ...a, status: 'failed' })).toHaveLength(2);
    expect(put({ ...a, status: 'completed' })).toHaveLength(1);
  });
});
