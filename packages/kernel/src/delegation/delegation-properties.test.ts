import { isTerminalTask } from '@baton/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { stepFaults } from '../testing/check-step.ts';
import { Model } from '../testing/model.ts';
import { complete, openAttempts, STEPS } from '../testing/random-steps.ts';

/** What delegation is made of and what disturbs it, each as often as it makes something happen. */
/** The attempt of a child at work; its parent lives on to hand more on. */
function childOf(model: Model, a: number): AttemptRow | undefined {
  const children = openAttempts(model).filter(
    (it) => (model.world.row('taskSpecs', it.taskId)?.depth ?? 0) > 0,
  );
  return children[a % Math.max(1, children.length)];
}
const ALL = {
  ...STEPS,
  failChild: (model: Model, a: number): void => {
    const child = childOf(model, a);
    if (child !== undefined) model.fail(child);
  },
  completeChild: (model: Model, a: number): void => {
    const child = childOf(model, a);
    if (child !== undefined) complete(model, child, 1);
  },
};
const WEIGHTS = {
  failChild: 8,
  completeChild: 4,
  dispatch: 12,
  start: 8,
  spawn: 14,
  await: 6,
  complete: 0.5,
  fail: 0.5,
  release: 3,
  time: 2,
  cancelAwait: 1,
  cancelTask: 0.4,
  retry: 1,
  pauseTask: 0.5,
  resumeTask: 2,
  hello: 0.3,
  expire: 0.3,
} as const satisfies Partial<Record<keyof typeof ALL, number>>;

const stepOf = fc.noBias(
  fc.record({
    what: fc.oneof(
      ...(Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[]).map((what) => ({
        weight: Math.round(10 * WEIGHTS[what]),
        arbitrary: fc.constant(what),
      })),
    ),
    a: fc.nat({ max: 1_000 }),
    b: fc.nat({ max: 1_000 }),
  }),
);

/** Events that a search for faults must have met, or it has looked at nothing. */
const SOMETIMES = [
  'task.awaiting',
  'task.woken',
  'task.await_closed',
  'task.spawn_refused',
  'task.respawn_refused',
  'task.respawn_forced',
  'task.breaker_tripped',
];

test('agents that spawn and await in any order break no rule, and meet all that they can meet', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(
      fc.noBias(fc.array(stepOf, { minLength: 80, maxLength: 160, size: 'max' })),
      (steps) => {
        const model = new Model();
        model.watch = (decision, command) => {
          const faults = stepFaults(model.world, decision, command);
          if (faults.length > 0) throw new Error(faults.join('\n'));
        };
        model.worker('w1', { slots: 8 });
        model.graph({ lead: { retry: { max_attempts: 100, backoff_seconds: 0 } }, other: {} });
        for (const { what, a, b } of steps) {
          ALL[what](model, a, b);
          const faults = faultsOf(model.world);
          if (faults.length > 0)
            throw new Error(`after ${what}(${a}, ${b}):\n${faults.join('\n')}`);
        }
        for (const { type } of model.events) met.add(type);
        checkWakes(model);
      },
    ),
    // The same search each time: what it must meet would be a matter of luck else.
    { numRuns: 60, seed: 7 },
  );
  expect(SOMETIMES.filter((type) => !met.has(type))).toEqual([]);
}, 300_000);

/** An await resumes its agent once at most, and tells of no end that did not happen. */
function checkWakes(model: Model): void {
  const woken = model.events.filter(({ type }) => type === 'task.woken');
  const ids = woken.map(({ data }) => data['await']);
  expect(new Set(ids).size).toBe(ids.length);
  for (const it of model.world.all('awaits')) {
    if (it.status === 'open') continue;
    const told = it.results.filter(({ status }) => isTerminalTask(status));
    if (it.status === 'met') expect(it.partial).toBe(false);
    for (const { task } of told) {
      const ended = model.events.some(
        ({ type, taskId }) =>
          taskId !== null &&
          taskId.endsWith(task) &&
          ['task.completed', 'task.failed', 'task.cancelled', 'task.skipped'].includes(type),
      );
      expect(ended).toBe(true);
    }
  }
}
