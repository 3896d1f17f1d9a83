import {
  isContentLoose,
  listPurgeable,
  purgeStep,
  unlessHeld,
  type Db,
  type LooseContent,
} from '@baton/store';
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

type IsLoose = () => Promise<boolean>;

interface PurgePorts {
  readonly db: Db;
  readonly log: Log;
  /** Removes a content if it `isLoose` at the decisive moment; see `removeLoose` of the store. */
  readonly removeContent: (content: LooseContent, isLoose: IsLoose) => Promise<unknown>;
  /** Goes through what an interrupted removal left aside: removed if it `isLoose`, else put back. */
  readonly settleAside: (isLoose: (content: LooseContent) => Promise<boolean>) => Promise<void>;
  /** Told after each pass that took something away. */
  readonly onGone?: () => void;
  readonly runtime?: Runtime;
}

/**
 * Takes away what is to be purged, a bounded piece at a time; the marked rows in the database say what
 * is left, so that a crash costs nothing. While a backup copies the content none is removed, and what
 * depends on that waits for a later pass. Answers how many rows went.
 */
export function createPurgeSweep(ports: PurgePorts): Reconciler {
  const { db, log, runtime = processRuntime } = ports;
  let isPending = false;

  async function removeContent(content: LooseContent, isLoose: IsLoose): Promise<boolean> {
    const done = await unlessHeld(db, async () => {
      await ports.removeContent(content, isLoose);
      return true;
    });
    return done === true;
  }

  async function runOnce(): Promise<number> {
    let steps = 0;
    let total = 0;
    await unlessHeld(db, () => ports.settleAside((content) => isContentLoose(db, content)));
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
