import type { Command } from '@baton/contract';
import { dropSpentHistory, forgetLogs, listRunsToForget, turnHistory, type Db } from '@baton/store';
import type { Log } from '../log.ts';
import { processRuntime, type Runtime } from '../runtime.ts';
import type { Reconciler } from '../service.ts';
import { createReconciler } from './reconciler.ts';

const dayMs = 24 * 3_600_000;
const intervalMs = 10 * 60_000;
/** Runs of one pass at most; a full pass is followed by another. */
const runsMax = 100;
/** Pieces of output that go in one statement. */
const piecesMax = 1_000;

/** How long things are kept, in days; undefined: for ever. */
export interface Keep {
  readonly eventsDays: number;
  readonly runsDays?: number | undefined;
  readonly logsDays?: number | undefined;
}

interface RetentionPorts {
  readonly db: Db;
  readonly log: Log;
  readonly submit: (command: Command) => Promise<unknown>;
  readonly keep: Keep;
  readonly runtime?: Runtime;
}

/**
 * Lets go of what is older than it is kept for: parts of the history as a whole, ended runs through
 * `run.purge` (whose steps another service does), output in bounded pieces. Each step is one
 * transaction, so that a crash between two of them costs nothing. Answers how many steps it did.
 */
export function createRetention(ports: RetentionPorts): Reconciler {
  const { db, log, submit, keep, runtime = processRuntime } = ports;
  let isFull = false;

  async function forgetRuns(runsDays: number): Promise<number> {
    const runs = await db.query(listRunsToForget, runsDays * dayMs, runsMax);
    for (const run of runs) {
      await submit({
        type: 'run.purge',
        project: run.projectId,
        actor: { kind: 'timer', id: null, name: 'retention' },
        run: run.id,
      });
    }
    isFull ||= runs.length === runsMax;
    return runs.length;
  }

  async function forgetOutput(logsDays: number): Promise<number> {
    const [gone] = await db.query(forgetLogs, logsDays * dayMs, piecesMax);
    isFull ||= gone?.count === piecesMax;
    return gone?.count ?? 0;
  }

  return createReconciler({
    name: 'retention',
    intervalMs,
    again: () => isFull,
    ports: { log, runtime },
    async runOnce() {
      isFull = false;
      let steps = 0;
      // A part a day; where less than a day is kept, parts as short as that.
      const partMs = Math.min(1, keep.eventsDays) * dayMs;
      if ((await turnHistory(db, partMs)) !== undefined) steps += 1;
      while (await dropSpentHistory(db, keep.eventsDays * dayMs)) steps += 1;
      if (keep.runsDays !== undefined) steps += await forgetRuns(keep.runsDays);
      if (keep.logsDays !== undefined) steps += await forgetOutput(keep.logsDays);
      return steps;
    },
  });
}
