import { DEFAULTS } from '@baton/contract';
import type { Draft } from '../draft.ts';
import type { ReadyRow, RunRow } from '../rows.ts';
import { withRun } from '../rows/changed-row.ts';

/** `Context.nextSeq` counts on from this many a millisecond: a place in the queue tells since when. */
export const SEQ_PER_MS = 4_096;

const agingMs = DEFAULTS.agingMinutes * 60_000;

/** Since when a row waits in the queue, epoch milliseconds. */
export function queuedAtMs(row: Pick<ReadyRow, 'seq'>): number {
  return row.seq / SEQ_PER_MS;
}

/** The class of priority that a row counts as: one higher for each `agingMinutes` that it waited. */
export function classNow(row: Pick<ReadyRow, 'priority' | 'seq'>, nowMs: number): number {
  const classes = Math.floor(Math.max(0, nowMs - queuedAtMs(row)) / agingMs);
  return Math.max(0, row.priority - classes);
}

/** A row with the place that it has now. */
export interface Placed {
  readonly row: ReadyRow;
  readonly priority: number;
  readonly pass: number;
}

/** How far turns in a project are. Kept in memory: being behind makes turns less fair for a moment. */
export interface Turns {
  /** Virtual time: what becomes ready gets its turn no earlier. */
  readonly pass: number;
  /** The next turn of work that has risen to a higher class by waiting. */
  readonly risenPass: number;
}

/**
 * Rows in the order in which they get their turn: by class; in a class runs take turns, by `pass`; then
 * by age. What has risen to a class by waiting takes turns there as one more run, so neither it nor the
 * class starves.
 */
export function inQueueOrder(rows: readonly ReadyRow[], nowMs: number, turns: Turns): Placed[] {
  const risen: ReadyRow[] = [];
  const placed: Placed[] = [];
  for (const row of rows) {
    const priority = classNow(row, nowMs);
    if (priority < row.priority) risen.push(row);
    else placed.push({ row, priority, pass: row.pass });
  }
  risen.sort((a, b) => a.pass - b.pass || a.seq - b.seq);
  risen.forEach((row, at) => {
    placed.push({ row, priority: classNow(row, nowMs), pass: turns.risenPass + at });
  });
  return placed.sort((a, b) => a.priority - b.priority || a.pass - b.pass || a.row.seq - b.row.seq);
}

/** Turns that virtual time lasts at least: no stream of new runs, each at its first turn, stops it. */
const startsPerTurnMax = 4;

/**
 * How far turns are once something has started. Time goes no further ahead of that than one turn, and by
 * one turn for each start at most: what starts first for its class may have a turn that is far off, and
 * whoever comes next must not wait for all the turns in between.
 */
export function turnsAfter(turns: Turns, { row, pass, priority }: Placed): Turns {
  const soonest = turns.pass + 1 / startsPerTurnMax;
  const moved = Math.min(Math.max(soonest, pass), pass + 1, turns.pass + 1);
  const isRisen = priority < row.priority;
  return {
    pass: Math.max(turns.pass, moved),
    risenPass: isRisen ? Math.max(pass, turns.pass) + 1 : turns.risenPass,
  };
}

/**
 * The turn of a task of a run that becomes ready: one after the run's last, but not before what has had
 * its turn already, and never further off than the run has open tasks.
 */
export function takeTurn(draft: Draft, run: RunRow): number {
  const passNow = draft.context.turnsOf(run.projectId).pass;
  const pass = Math.max(passNow, Math.min(run.pass, passNow + run.openTasks));
  draft.put('runs', withRun(run, { pass: pass + 1 }));
  return pass;
}
