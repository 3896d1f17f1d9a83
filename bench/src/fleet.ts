import {
  capabilities,
  type Actor,
  type PlanInput,
  plan as planSchema,
  runCreate,
} from '@baton/contract';
import { createCoordinator, newId, type Coordinator } from '@baton/coordinator';
import type { Db } from '@baton/store';
import { randomUUID } from 'node:crypto';

export const actor: Actor = { kind: 'user', id: 'usr_bench', name: 'bench' };
export const project = 'prj_bench';
const quiet = { debug() {}, info() {}, warn: console.warn, error: console.error };

/** Measures with a coordinator that is stopped at the end, whatever happens. */
export async function withCoordinator<T>(
  db: Db,
  measure: (coordinator: Coordinator) => Promise<T>,
): Promise<T> {
  const coordinator = await startCoordinator(db);
  try {
    return await measure(coordinator);
  } finally {
    await coordinator.stop();
  }
}

/** A coordinator on a database, with everything on, as the server runs it. */
export async function startCoordinator(db: Db): Promise<Coordinator> {
  const coordinator = createCoordinator({ db, log: quiet, engines: ['shell'] });
  await coordinator.start();
  return coordinator;
}

/** Registers a worker and lets it say hello; answers its id. */
export async function addWorker(
  coordinator: Coordinator,
  name: string,
  slots: number,
): Promise<string> {
  const tokenId = newId('jtk');
  const can = capabilities.parse({ engines: [{ name: 'shell', auth: 'ok' }] });
  await coordinator.submit({
    type: 'joinToken.create',
    project,
    actor,
    id: tokenId,
    tokenHash: randomUUID(),
    expiresAtMs: coordinator.nowMs() + 3_600_000,
    body: { labels: {}, max_uses: 1, ephemeral: false },
  });
  const reply = await coordinator.submit({
    type: 'worker.register',
    project,
    actor,
    joinToken: tokenId,
    ownWorker: null,
    keyHash: randomUUID(),
    body: { name, slots, labels: {}, capabilities: can, ephemeral: false },
  });
  const worker = reply.worker ?? '';
  await coordinator.submit({
    type: 'worker.hello',
    project,
    actor: { kind: 'worker', id: worker, name },
    worker,
    hello: {
      type: 'hello',
      incarnation: randomUUID(),
      version: 'bench',
      slots,
      labels: {},
      capabilities: can,
      draining: false,
      attempts: [],
    },
  });
  return worker;
}

/** Submits a plan; resolves once it is durable. */
export async function submitPlan(coordinator: Coordinator, plan: PlanInput): Promise<string> {
  const reply = await coordinator.submit({
    type: 'run.create',
    project,
    actor,
    body: runCreate.parse({ goal: 'bench', deliver: 'none', plan: planSchema.parse(plan) }),
  });
  return reply.run ?? '';
}

/** A plan of `count` tasks that depend on nothing. */
export function flatPlan(count: number): PlanInput {
  return {
    tasks: Array.from({ length: count }, (_, index) => ({
      key: `t${index}`,
      kind: 'command' as const,
      spec: 'true',
    })),
  };
}

/** Starts and finishes one attempt with the two writes that a worker makes. */
export async function execute(
  coordinator: Coordinator,
  worker: string,
  attempt: string,
  epoch: number,
): Promise<void> {
  const base = { project, actor, attempt, worker } as const;
  await coordinator.submit({ ...base, type: 'attempt.start', body: { epoch } });
  await coordinator.submit({
    ...base,
    type: 'attempt.complete',
    body: { epoch, result: { status: 'success', summary: '' } },
  });
}

/** Hands each attempt that is handed to a worker, with its epoch, to `take`. */
export function pickUp(
  coordinator: Coordinator,
  take: (worker: string, attempt: string, epoch: number) => void,
): void {
  const epochs = new Map<string, number>();
  coordinator.onCommitted((events) => {
    for (const event of events) {
      if (event.type === 'attempt.claimed' && event.attemptId !== null) {
        epochs.set(event.attemptId, Number(event.data['epoch'] ?? 0));
      }
    }
  });
  coordinator.onAssigned(({ worker, attempts }) => {
    for (const attempt of attempts) {
      const epoch = epochs.get(attempt) ?? 0;
      epochs.delete(attempt);
      take(worker, attempt, epoch);
    }
  });
}
