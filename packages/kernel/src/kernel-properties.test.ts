import { isTerminalRun, isTerminalTask } from '@baton/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { undelivered } from './testing/check-delivery.ts';
import { faultsOf } from './testing/check-state.ts';
import { stepFaults } from './testing/check-step.ts';
import { Model } from './testing/model.ts';
import { awaitsReplan } from './run/replan.ts';
import { complete, openAttempts, STEPS, type Step } from './testing/random-steps.ts';
import { joinFleet } from './testing/rare-steps.ts';

/** Ordinary work is frequent, so that there is something that the rest can disturb. */
const OFTEN: Partial<Record<keyof typeof STEPS, number>> = {
  dispatch: 12,
  start: 12,
  complete: 6,
  fail: 4,
  ask: 4,
  resolve: 3,
  hello: 3,
  output: 2,
  time: 3,
  retry: 3,
  run: 2,
  addTask: 2,
  spawn: 4,
  await: 4,
  delivered: 3,
  gone: 0.4,
  drain: 0.4,
  cancelRun: 0.5,
  deleteRun: 0.3,
  deleteTask: 0.5,
  pauseRun: 0.5,
  rerunRun: 0.4,
  adopt: 2,
  resumeTask: 2,
  resumeRun: 2,
  removeWorker: 0.4,
  updateRun: 0.5,
  leaving: 0.3,
  rateLimited: 1.5,
};
const stepOf = fc.noBias(
  fc.record({
    what: fc.oneof(
      ...(Object.keys(STEPS) as (keyof typeof STEPS)[]).map((what) => ({
        weight: Math.round(10 * (OFTEN[what] ?? 1)),
        arbitrary: fc.constant(what),
      })),
    ),
    a: fc.nat({ max: 1_000 }),
    b: fc.nat({ max: 1_000 }),
  }),
);

function play(steps: readonly Step[], usesPlan = false): Model {
  const model = new Model();
  model.usesPlan = usesPlan;
  model.watch = (decision, command) => {
    const faults = stepFaults(model.world, decision, command);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  };
  joinFleet(model);
  const log: string[] = [];
  for (const step of steps) {
    log.push(`${step.what}(${step.a}, ${step.b})`);
    try {
      STEPS[step.what](model, step.a, step.b);
    } catch (error) {
      throw new Error(`after ${log.join(' ')}`, { cause: error });
    }
    const faults = faultsOf(model.world);
    if (faults.length > 0) throw new Error(`after ${log.join(' ')}:\n${faults.join('\n')}`);
  }
  return model;
}

/** Honest workers, people who answer everything, and time: until nothing more happens. */
function finish(model: Model): void {
  for (const { key } of model.world.all('limits')) model.decide('limit.remove', { key });
  for (const { scope, id } of model.world.all('budgets')) {
    model.decide('budget.set', { scope, id, body: { usd: null } });
  }
  for (let round = 0; round < 2_000; round++) {
    if (model.world.all('runs').every((it) => isTerminalRun(it.status))) return;
    joinFleet(model);
    for (const worker of model.world.all('workers')) {
      model.decide('worker.drain', { worker: worker.id, draining: false });
    }
    STEPS.hello(model, 0, 0);
    STEPS.hello(model, 1, 0);
    model.dispatch();
    for (const attempt of openAttempts(model)) complete(model, attempt, 1);
    for (const checkpoint of model.world.all('checkpoints').filter((it) => it.status === 'open')) {
      const option = checkpoint.options[0];
      model.decide('checkpoint.resolve', {
        checkpoint: checkpoint.id,
        body: option === undefined ? { text: 'yes' } : { option },
        via: 'api',
      });
    }
    for (const run of model.world.all('runs')) {
      if (run.status === 'paused') model.decide('run.resume', { run: run.id });
      if (awaitsReplan(run)) model.decide('run.cancel', { run: run.id, reason: 'no new plan' });
    }
    approveGated(model);
    for (const task of model.world.all('tasks')) {
      if (task.status === 'paused') model.decide('task.resume', { task: task.id });
      if (
        task.status === 'ready' &&
        (task.reason === 'waiting_for_assignment' || task.assignedWorker !== null)
      ) {
        model.decide('task.assign', { task: task.id, worker: 'w1' });
      }
    }
    for (const run of model.world.all('runs')) {
      const worker = run.deliveryWorkerId;
      if (worker !== null)
        model.decide('run.delivered', { worker, run: run.id, delivery: { state: 'delivered' } });
    }
    model.advance(70);
  }
  const open = model.world.all('runs').filter((it) => !isTerminalRun(it.status));
  throw new Error(
    `these never end: ${open.map((it) => JSON.stringify(model.statuses(it.id))).join('\n')}`,
  );
}

/** What gates wait for a review of gets one. */
function approveGated(model: Model): void {
  const gates = model.world.all('dependencies').filter((it) => it.type === 'gate');
  for (const { upstreamId } of gates) {
    const upstream = model.world.row('tasks', upstreamId);
    const review = model.world.row('taskSpecs', upstreamId)?.review.state;
    if (upstream?.status === 'completed' && review !== 'approved') {
      model.decide('task.review', { task: upstreamId, action: 'approve', note: null });
    }
  }
}

const runs = 200;

describe('whatever happens in whatever order', () => {
  test('no rule of the state is ever broken', () => {
    fc.assert(
      fc.property(
        fc.noBias(fc.array(stepOf, { minLength: 10, maxLength: 100, size: 'max' })),
        (steps) => {
          play([{ what: 'run', a: steps[0]?.a ?? 0, b: steps[0]?.b ?? 0 }, ...steps]);
        },
      ),
      { numRuns: runs },
    );
  }, 300_000);

  test('with honest workers and people who answer, every run ends', () => {
    fc.assert(
      fc.property(
        fc.noBias(fc.array(stepOf, { minLength: 5, maxLength: 60, size: 'max' })),
        (steps) => {
          const model = play([{ what: 'run', a: steps[1]?.a ?? 0, b: steps[1]?.b ?? 0 }, ...steps]);
          finish(model);
          expect(faultsOf(model.world)).toEqual([]);
          expect(undelivered(model.world)).toEqual([]);
          expect(model.world.all('tasks').filter((it) => !isTerminalTask(it.status))).toEqual([]);
        },
      ),
      { numRuns: runs },
    );
  }, 300_000);

  test('what is loaded ahead changes nothing', () => {
    fc.assert(
      fc.property(fc.noBias(fc.array(stepOf, { maxLength: 50, size: 'max' })), (steps) => {
        const bare = play(steps);
        const planned = play(steps, true);
        expect(planned.events).toEqual(bare.events);
        for (const table of ['runs', 'tasks', 'attempts', 'timers', 'ready'] as const) {
          expect(planned.world.all(table)).toEqual(bare.world.all(table));
        }
      }),
      { numRuns: 50 },
    );
  }, 300_000);
});
