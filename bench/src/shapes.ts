import type { PlanInput } from '@baton/contract';
import type { Coordinator } from '@baton/coordinator';
import type { Db } from '@baton/store';
import { addWorker, execute, pickUp, project, withCoordinator, submitPlan } from './fleet.ts';
import { drain } from './lifecycle.ts';

const task = (key: string) => ({ key, kind: 'command' as const, spec: 'true' });

function starPlan(leaves: number, direction: 'out' | 'in'): PlanInput {
  const keys = Array.from({ length: leaves }, (_, index) => `t${index}`);
  return {
    tasks: [task('hub'), ...keys.map(task)],
    dependencies: keys.map((key) =>
      direction === 'out'
        ? { upstream: 'hub', downstream: key }
        : { upstream: key, downstream: 'hub' },
    ),
  };
}

function chainPlan(length: number): PlanInput {
  const keys = Array.from({ length }, (_, index) => `t${index}`);
  return {
    tasks: keys.map(task),
    dependencies: keys
      .slice(1)
      .map((key, index) => ({ upstream: keys[index] ?? '', downstream: key })),
  };
}

/** Milliseconds from the report that ends the hub until all that wait for it are ready, durably. */
export function measureFanOut(db: Db, leaves: number): Promise<number> {
  return withCoordinator(db, async (coordinator) => {
    const worker = await addWorker(coordinator, 'hub', 1);
    await submitPlan(coordinator, starPlan(leaves, 'out'));
    const hub = await firstOf(coordinator, worker);
    coordinator.unparkWorker(worker);
    let ready = 0;
    const allReady = new Promise<number>((resolve) => {
      coordinator.onCommitted((events) => {
        ready += events.filter((event) => event.type === 'task.ready').length;
        if (ready >= leaves) resolve(performance.now());
      });
    });
    const base = { project, actor: hub.actor, attempt: hub.attempt, worker } as const;
    await coordinator.submit({ ...base, type: 'attempt.start', body: { epoch: hub.epoch } });
    const startedMs = performance.now();
    await coordinator.submit({
      ...base,
      type: 'attempt.complete',
      body: { epoch: hub.epoch, result: { status: 'success', summary: '' } },
    });
    const took = (await allReady) - startedMs;
    return took;
  });
}

interface Held {
  readonly attempt: string;
  readonly epoch: number;
  readonly actor: { readonly kind: 'worker'; readonly id: string; readonly name: string };
}

/** Parks the worker until it is handed its first attempt. */
function firstOf(coordinator: Coordinator, worker: string): Promise<Held> {
  return new Promise((resolve) => {
    pickUp(coordinator, (_worker, attempt, epoch) => {
      resolve({ attempt, epoch, actor: { kind: 'worker', id: worker, name: 'hub' } });
    });
    coordinator.parkWorker(worker, project, 1);
  });
}

/** Tasks a second of a run in which one task waits for all others. */
export function measureFanIn(db: Db, leaves: number): Promise<number> {
  return withCoordinator(db, async (coordinator) => {
    const ids = await Promise.all([0, 1, 2, 3].map((it) => addWorker(coordinator, `w${it}`, 64)));
    await submitPlan(coordinator, starPlan(leaves, 'in'));
    let lastLeafMs = 0;
    let joinedMs = 0;
    coordinator.onCommitted((events) => {
      for (const event of events) {
        if (event.type === 'task.unblocked') joinedMs = performance.now();
        if (event.type === 'attempt.succeeded' && joinedMs === 0) lastLeafMs = performance.now();
      }
    });
    const startedMs = performance.now();
    await drain(coordinator, ids, leaves + 1);
    if (joinedMs < lastLeafMs) throw new Error('the join opened before its last upstream ended');
    return (leaves + 1) / ((performance.now() - startedMs) / 1_000);
  });
}

/** Steps a second of ten chains that run side by side: each step waits for the one before. */
export function measureChains(db: Db, chains: number, length: number): Promise<number> {
  return withCoordinator(db, async (coordinator) => {
    const worker = await addWorker(coordinator, 'chain', 64);
    for (let chain = 0; chain < chains; chain++) await submitPlan(coordinator, chainPlan(length));
    const startedMs = performance.now();
    let left = chains * length;
    await new Promise<void>((resolve, reject) => {
      pickUp(coordinator, (_worker, attempt, epoch) => {
        execute(coordinator, worker, attempt, epoch).then(() => {
          left -= 1;
          if (left === 0) resolve();
        }, reject);
      });
      coordinator.parkWorker(worker, project, 64);
    });
    const seconds = (performance.now() - startedMs) / 1_000;
    return (chains * length) / seconds;
  });
}
