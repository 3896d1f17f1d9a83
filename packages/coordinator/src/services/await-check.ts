import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createSweep } from './sweep.ts';

/**
 * Resumes agents that await tasks of other runs. Within a run the commit that ends a task does it; the
 * end of one elsewhere touches only its own run, so that it is looked for.
 */
export function createAwaitCheck(ports: ServicePorts): Reconciler {
  return createSweep(ports, {
    name: 'await-check',
    intervalMs: 1_000,
    perPassMax: 100,
    find: (limit) => ports.store.listAwaitsToCheck(limit),
    command: (row) => ({
      type: 'await.check',
      project: row.projectId,
      actor: { kind: 'timer', id: null, name: 'await' },
      run: row.runId,
      await: row.id,
    }),
  });
}
