import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createSweep } from './sweep.ts';

/** Tells when a worker has become silent or gone offline. */
export function createWorkerSweep(
  ports: ServicePorts,
  bounds: { readonly silentMs: number; readonly offlineMs: number },
): Reconciler {
  return createSweep(ports, {
    name: 'worker-sweep',
    intervalMs: 1_000,
    perPassMax: 200,
    find: (limit) => ports.store.listWorkersToSweep({ ...bounds, limit }),
    command: (row) => ({
      type: 'worker.sweep',
      project: row.projectId,
      actor: { kind: 'timer', id: null, name: 'presence' },
      worker: row.id,
    }),
  });
}
