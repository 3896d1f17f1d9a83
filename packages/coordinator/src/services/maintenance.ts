import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';
import type { Reconciler } from '../service.ts';

const intervalMs = 5 * 60_000;

/** Housekeeping: removes what has expired (idempotency keys, sessions, login codes). */
export function createMaintenance(ports: ServicePorts): Reconciler {
  let isFirst = true;
  return createReconciler({
    name: 'maintenance',
    intervalMs,
    ports,
    async runOnce() {
      if (isFirst) {
        isFirst = false;
        return 0;
      }
      return ports.store.purgeExpired();
    },
  });
}
