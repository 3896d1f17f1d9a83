import { DEFAULTS } from '@baton/contract';
import type { Draft } from '../draft.ts';
import type { ReadyRow, RunRow } from '../rows.ts';

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

/**
 * Rows in the order in which they get their turn: by class; in a class runs take turns, by `pass`; then
 * by age. What has risen to a class by waiting takes turns there as one more run: it always comes next
 * after everybody else had one, so neither it nor the class starves. `passNow` is how far turns are.
 */
export function inQueueOrder(rows: readonly ReadyRow[], nowMs: number, passNow: number): Placed[] {
  const risen: ReadyRow[] = [];
  const placed: Placed[] = [];
  for (const row of rows) {
    const priority = classNow(row, nowMs);
    if (priority < row.priority) risen.push(row);
    else placed.push({ row, priority, pass: row.pass });
  }
  const turns = new Map<number, number>();
  for (const row of risen.sort((a, b) => a.pass - b.pass || a.seq - b.seq)) {
    const priority = classNow(row, nowMs);
    const turn = (turns.get(priority) ?? 0) + 1;
    turns.set(priority, turn);
    placed.push({ row, priority, pass: passNow + turn });
  }
  return placed.sort((a, b) => a.priority - b.priority || a.pass - b.pass || a.row.seq - b.row.seq);
}

/**
 * The turn of a task of a run that becomes ready: one after the run's last, but not before what has had
 * its turn already, and never further off than the run has open tasks.
 */
export function takeTurn(draft: Draft, run: RunRow): number {
  const passNow = draft.context.passOf(run.projectId);
  const pass = Math.max(passNow, Math.min(run.pass, passNow + run.openTasks));
  draft.put('runs', { ...run, pass: pass + 1 });
  return pass;
}
