import { listWorkersToSweep } from '@baton/store';
import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';
import type { Reconciler } from '../service.ts';

const intervalMs = 1_000;
const perPassMax = 200;

/** Tells when a worker has become silent or gone offline. */
export function createWorkerSweep(
  ports: ServicePorts,
  bounds: { readonly silentMs: number; readonly offlineMs: number },
): Reconciler {
  return createReconciler({
    name: 'worker-sweep',
    intervalMs,
    log: ports.log,
    again: (found) => found === perPassMax,
    async runOnce() {
      const stale = await listWorkersToSweep(ports.db, { ...bounds, limit: perPassMax });
      await Promise.all(
        stale.map((row) =>
          ports.submit({
            type: 'worker.sweep',
            project: row.projectId,
            actor: { kind: 'timer', id: null, name: 'presence' },
            worker: row.id,
          }),
        ),
      );
      return stale.length;
    },
  });
}
