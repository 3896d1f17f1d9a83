import { listExpiredLeases } from '@baton/store';
import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';
import type { Reconciler } from '../service.ts';

const intervalMs = 1_000;
const perPassMax = 50;

/** Declares lost what was silent for longer than its lease, unless a grace period runs. */
export function createLeaseSweep(ports: ServicePorts): Reconciler {
  return createReconciler({
    name: 'lease-sweep',
    intervalMs,
    log: ports.log,
    again: (found) => found === perPassMax,
    async runOnce() {
      const expired = await listExpiredLeases(ports.db, perPassMax);
      await Promise.all(
        expired.map((row) =>
          ports.submit({
            type: 'lease.expire',
            project: row.projectId,
            actor: { kind: 'timer', id: null, name: 'lease' },
            attempt: row.id,
            leaseUntilMs: row.leaseUntilMs,
          }),
        ),
      );
      return expired.length;
    },
  });
}
