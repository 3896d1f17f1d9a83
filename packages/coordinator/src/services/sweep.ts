import type { Command } from '@baton/contract';
import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';

/** What to look for, and what to say about each. */
interface Sweep<Row> {
  readonly name: string;
  readonly intervalMs: number;
  /** Rows of one pass at most; a pass that finds as many is followed by another. */
  readonly perPassMax: number;
  readonly find: (limit: number) => Promise<readonly Row[]>;
  readonly command: (row: Row) => Command;
}

/** Looks for rows whose time has come and submits a command for each. */
export function createSweep<Row>(ports: ServicePorts, sweep: Sweep<Row>): Reconciler {
  const { name, intervalMs, perPassMax } = sweep;
  return createReconciler({
    name,
    intervalMs,
    ports,
    again: (found) => found === perPassMax,
    async runOnce() {
      const rows = await sweep.find(perPassMax);
      await Promise.all(rows.map((row) => ports.submit(sweep.command(row))));
      return rows.length;
    },
  });
}
