import { PRIORITIES } from '@baton/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

const tasks = (count: number, more: object = {}) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, more]));

/** Hands out one task and ends it. Answers the run it was of, or undefined when there was none. */
function serveOne(model: Model): string | undefined {
  const [attempt] = model.dispatch();
  if (attempt === undefined) return undefined;
  model.complete(attempt);
  return attempt.runId;
}

describe('the queue', () => {
  test('runs that have work take turns: over any span their starts differ by two at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 4 }),
        (servedBetween) => {
          const model = new Model();
          model.worker('w');
          const runs = [model.graph(tasks(25))];
          for (const count of servedBetween) {
            for (let served = 0; served < count; served++) serveOne(model);
            runs.push(model.graph(tasks(25)));
          }
          const starts: string[] = [];
          // While every run still has something to take.
          while (
            runs.every((run) =>
              model.world.list('tasksOfRun', run).some((it) => it.status === 'ready'),
            )
          ) {
            starts.push(serveOne(model) ?? '');
          }
          for (let from = 0; from < starts.length; from++) {
            const counts = new Map(runs.map((run) => [run, 0]));
            for (const run of starts.slice(from)) {
              counts.set(run, (counts.get(run) ?? 0) + 1);
              const all = [...counts.values()];
              expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(2);
            }
          }
        },
      ),
      { numRuns: 15 },
    );
  }, 300_000);

  test('a run of many tasks does not stand before one of few', () => {
    const model = new Model();
    model.worker('w');
    const many = model.graph(tasks(300));
    for (let served = 0; served < 5; served++) serveOne(model);
    const few = model.graph(tasks(10));
    const starts = Array.from({ length: 21 }, () => serveOne(model));
    expect(starts.filter((run) => run === few)).toHaveLength(10);
    expect(starts.filter((run) => run === many).length).toBeLessThanOrEqual(11);
  });

  test('what was cancelled and redone does not set its run back for long', () => {
    const model = new Model();
    model.worker('w');
    const busy = model.graph(tasks(30));
    const run = model.graph(tasks(30));
    for (let round = 0; round < 5; round++) {
      for (const it of model.world.list('tasksOfRun', run)) {
        model.submit('task.cancel', { task: it.id, reason: null });
      }
      for (const it of model.world.list('tasksOfRun', run)) {
        model.submit('task.retry', { task: it.id, reason: null, downstream: 'keep' });
      }
    }
    const ahead = model.world.list('tasksOfRun', busy).length;
    const starts = Array.from({ length: ahead + 2 }, () => serveOne(model));
    expect(starts).toContain(run);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('no task starts while one of a higher class that could be taken waits', () => {
    const classes = fc.array(fc.constantFrom(...PRIORITIES), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(classes, { minLength: 1, maxLength: 4 }), (batches) => {
        const model = new Model();
        model.worker('w', { slots: 2 });
        for (const batch of batches) {
          model.graph(Object.fromEntries(batch.map((priority, at) => [`t${at}`, { priority }])));
          const started = model.dispatch();
          const waiting = model.world.all('ready').map((it) => it.priority);
          for (const attempt of started) {
            const { priority = 0 } = model.world.row('tasks', attempt.taskId) ?? {};
            expect(Math.min(9, ...waiting)).toBeGreaterThanOrEqual(priority);
            if (attempt.id.endsWith('1')) model.complete(attempt);
          }
        }
      }),
      { numRuns: 60 },
    );
  }, 300_000);

  test('work that waits rises a class every ten minutes, and then takes turns there', () => {
    const model = new Model();
    model.worker('w');
    const low = model.graph(tasks(5, { priority: 'low' }));
    const served: string[] = [];
    for (let minute = 0; minute < 60; minute++) {
      model.graph({ t: { priority: 'critical' } });
      model.nowMs += 60_000;
      served.push(serveOne(model) === low ? 'low' : 'critical');
    }
    expect(served.slice(0, 29)).not.toContain('low');
    expect(served.slice(29).filter((it) => it === 'low')).toHaveLength(5);
    // It does not push the higher class aside either: each has its turn.
    expect(served.join(' ')).not.toContain('low low');
  });

  test('what starts first for its class does not put off the turn of who comes next', () => {
    const model = new Model();
    model.worker('w');
    const crowd = model.graph({ ...tasks(20), urgent: { priority: 'high' } });
    serveOne(model);
    expect(model.byKey(crowd, 'urgent').status).toBe('completed');
    const next = model.graph(tasks(1));
    const served = [serveOne(model), serveOne(model), serveOne(model)];
    expect(served).toContain(next);
  });
});
