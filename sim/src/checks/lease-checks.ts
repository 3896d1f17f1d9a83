import type { AttemptRow, NewEvent } from '@baton/kernel';
import type { FaultList } from '../faults-found.ts';
import type { Sometimes } from '../sometimes.ts';
import type { Commit } from '../store/sim-database.ts';

/** A grace that a replica gave by its start, by the database's clock: when it began and when it was given. */
export interface Grace {
  readonly beganMs: number;
  readonly readyMs: number;
  /** Commits before it began: what they left open it covers. */
  readonly afterCommit: number;
}

/** No attempt is lost to its lease before that is over, nor inside a grace. */
export class LeaseChecks {
  readonly #graces: Grace[] = [];
  readonly #faults: FaultList;
  readonly #sometimes: Sometimes;

  constructor(faults: FaultList, sometimes: Sometimes) {
    this.#faults = faults;
    this.#sometimes = sometimes;
  }

  /** A replica has started; what it found open has a grace of two leases from `beganMs`. */
  graced(grace: Grace): void {
    this.#graces.push(grace);
    this.#sometimes.saw('a grace was given');
  }

  /** An attempt was lost, whose row was `before` and which was claimed in the commit of that number. */
  lost(commit: Commit, event: NewEvent, before: AttemptRow | null, claimedIn: number): void {
    if (before === null) return;
    if (event.cause === 'worker.hello')
      this.#sometimes.saw('an attempt was lost because its worker came back without it');
    if (event.cause === 'worker.heartbeat')
      this.#sometimes.saw('an attempt was lost because its worker did not name it');
    if (event.cause !== 'lease.expire') return;
    this.#sometimes.saw('an attempt was lost to its lease');
    if (before.leaseUntilMs > commit.nowMs) {
      this.#faults.report(
        'lease-first',
        `attempt ${before.id} was lost ${before.leaseUntilMs - commit.nowMs} ms before its lease ended`,
      );
    }
    for (const { beganMs, readyMs, afterCommit } of this.#graces) {
      const untilMs = beganMs + 2 * before.leaseSeconds * 1_000;
      const isCovered = claimedIn <= afterCommit && commit.nowMs > readyMs;
      if (isCovered && commit.nowMs < untilMs) {
        this.#faults.report(
          'grace',
          `attempt ${before.id} was lost ${untilMs - commit.nowMs} ms inside a grace`,
        );
      }
    }
  }
}
