import type { Coordinator } from '@baton/coordinator';
import type { Db } from '@baton/store';
import {
  addWorker,
  execute,
  flatPlan,
  pickUp,
  project,
  withCoordinator,
  submitPlan,
} from './fleet.ts';
import { addBulks } from './peers/peer.ts';

const workers = 8;
const slots = 64;

/** What one measurement of lifecycles came to. */
export interface LifecycleFigures {
  readonly perSecond: number;
  /** Tasks submitted a second, in runs of 500, four at a time, while nobody works. */
  readonly enqueuePerSecond: number;
  /** CPU of this process, client and control plane together, in microseconds a lifecycle. */
  readonly cpuMicros: number;
}

/**
 * Full lifecycles a second: create, claim, start, finish; fenced, with events, cascade and run
 * completion, each write acknowledged durably. `count` tasks in runs of 500, eight workers of 64 slots.
 * The time runs from the first submission to the last acknowledged finish.
 */
export function measureLifecycles(db: Db, count: number): Promise<LifecycleFigures> {
  return withCoordinator(db, async (coordinator) => {
    const ids = await Promise.all(
      Array.from({ length: workers }, (_, index) => addWorker(coordinator, `w${index}`, slots)),
    );
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    await submitFlat(coordinator, count);
    const enqueuedMs = performance.now();
    await drain(coordinator, ids, count);
    const endedMs = performance.now();
    const { user, system } = process.cpuUsage(cpu);
    return {
      perSecond: count / ((endedMs - startedMs) / 1_000),
      enqueuePerSecond: count / ((enqueuedMs - startedMs) / 1_000),
      cpuMicros: (user + system) / count,
    };
  });
}

function submitFlat(coordinator: Coordinator, count: number): Promise<void> {
  return addBulks(count, (size) => submitPlan(coordinator, flatPlan(size)));
}

/** Lets the workers work until `count` tasks are finished. @throws {Error} when one fails */
export function drain(
  coordinator: Coordinator,
  ids: readonly string[],
  count: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let done = 0;
    pickUp(coordinator, (worker, attempt, epoch) => {
      execute(coordinator, worker, attempt, epoch).then(
        () => {
          done += 1;
          if (done === count) resolve();
        },
        (error: unknown) => reject(new Error('a lifecycle failed', { cause: error })),
      );
    });
    for (const id of ids) coordinator.parkWorker(id, project, slots);
  });
}
