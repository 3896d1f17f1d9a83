import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createSweep } from './sweep.ts';

/** Declares lost what was silent for longer than its lease, unless a grace period runs. */
export function createLeaseSweep(ports: ServicePorts): Reconciler {
  return createSweep(ports, {
    name: 'lease-sweep',
    intervalMs: 1_000,
    perPassMax: 50,
    find: (limit) => ports.store.listExpiredLeases(limit),
    command: (row) => ({
      type: 'lease.expire',
      project: row.projectId,
      actor: { kind: 'timer', id: null, name: 'lease' },
      attempt: row.id,
      leaseUntilMs: row.leaseUntilMs,
    }),
  });
}
