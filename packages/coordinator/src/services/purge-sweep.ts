import { listPurgeable, purgeStep, type Db, type RemoveContent } from '@baton/store';
import type { Log } from '../log.ts';
import { processRuntime, type Runtime } from '../runtime.ts';
import type { Reconciler } from '../service.ts';
import { createReconciler } from './reconciler.ts';

const intervalMs = 60_000;
/** Rows that go in one statement: none of them holds up others for long. */
const rowsMax = 1_000;
const foundMax = 20;
/** Steps of one pass; a very large run is gone on with in the next. */
const stepsMax = 200;

interface PurgePorts {
  readonly db: Db;
  readonly log: Log;
  readonly removeContent: RemoveContent;
  /** Told after each pass that took something away. */
  readonly onGone?: () => void;
  readonly runtime?: Runtime;
}

/**
 * Takes away what is to be purged, a bounded piece at a time; the marked rows in the database say what
 * is left, so that a crash costs nothing. Answers how many rows went.
 */
export function createPurgeSweep(ports: PurgePorts): Reconciler {
  const { db, log, removeContent, runtime = processRuntime } = ports;
  let isPending = false;

  async function runOnce(): Promise<number> {
    let steps = 0;
    let total = 0;
    for (const what of await db.query(listPurgeable, foundMax)) {
      let gone = -1;
      while (gone !== 0 && steps < stepsMax) {
        gone = await purgeStep(db, what, rowsMax, removeContent);
        total += gone;
        steps += 1;
      }
    }
    isPending = steps >= stepsMax;
    if (total > 0) ports.onGone?.();
    return total;
  }

  return createReconciler({
    name: 'purge-sweep',
    intervalMs,
    again: () => isPending,
    ports: { log, runtime },
    runOnce,
  });
}
