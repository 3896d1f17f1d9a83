import type { NewEvent, Reply, TimerRow } from '@baton/kernel';
import type { EventPlace, RowChange } from '@baton/store';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import type { Outcome } from './pending.ts';

/** What a batch did, once it is committed. */
export interface BatchResult {
  readonly outcomes: readonly Outcome[];
  readonly events: readonly NewEvent[];
  /** Position of the first event; positions are dense. */
  readonly firstPos: number;
  readonly writes: readonly RowChange[];
  readonly dispatches: readonly { readonly target: DispatchTarget; readonly reply: Reply }[];
}

/** Thrown inside a batch that turned out to need more locks; it runs again with them. */
export class MoreLocks extends Error {
  readonly runs: readonly string[];
  constructor(runs: readonly string[]) {
    super(`a batch needs the locks of ${runs.length} more runs`);
    this.runs = runs;
  }
}

/** The answer to COMMIT is missing. Carries what the batch did if it was committed. */
export class UnknownCommit extends Error {
  readonly xid: string | undefined;
  readonly done: Omit<BatchResult, 'firstPos'>;
  constructor(xid: string | undefined, done: Omit<BatchResult, 'firstPos'>, cause?: unknown) {
    super('the connection was lost before COMMIT was answered', { cause });
    this.xid = xid;
    this.done = done;
  }
}

/** A batch's result once it is known where its events stand; told with the times that the feed has. */
export function placed(
  done: Omit<BatchResult, 'firstPos'>,
  place: EventPlace | undefined,
): BatchResult {
  if (place === undefined) return { ...done, events: [], firstPos: 0 };
  const { pos, atMs } = place;
  const isLater = done.events.some((event) => event.atMs !== atMs);
  const events = isLater ? done.events.map((event) => ({ ...event, atMs })) : done.events;
  return { ...done, events, firstPos: pos };
}

/** Due times of timers that a batch set, so that the timer service can wake in time. */
export function timersSet(writes: readonly RowChange[]): number[] {
  return writes.flatMap((write) =>
    write.table === 'timers' && write.row !== null ? [(write.row as TimerRow).dueAtMs] : [],
  );
}
