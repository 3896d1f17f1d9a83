import type { WorkerStatus } from '@baton/contract';
import type { WorkerRead } from '@baton/store';
import type { App } from '../app.ts';
import { workerStatus } from '../views/worker.ts';

/** Workers looked at; a fleet beyond it is told in part. */
const workersMax = 1_000;

/** A worker as it is now. */
export interface KnownWorker extends WorkerRead {
  readonly status: WorkerStatus;
}

/** The workers of a project by name, at most 1000. */
export async function knownWorkers(
  app: Pick<App, 'reads' | 'coordinator'>,
  project: string,
): Promise<readonly KnownWorker[]> {
  const all = await app.reads.listWorkers(project, workersMax, undefined);
  const nowMs = app.coordinator.nowMs();
  return all.map((read) => ({
    ...read,
    status: workerStatus(read.worker, read.attempts.length, nowMs),
  }));
}

/** Whether it is there for work, now or when a slot is free. */
export function isAble({ status }: KnownWorker): boolean {
  return status === 'online' || status === 'busy';
}

/** Names of the engines they advertise, each as often as there are workers with it. */
export function advertisedEngines(workers: readonly KnownWorker[]): string[] {
  return workers.flatMap(({ worker }) => worker.capabilities.engines.map(({ name }) => name));
}
