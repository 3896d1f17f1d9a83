/**
 * One rule about stored rows, as data. `sql` is one statement without parameters: a row for each fault,
 * with `subject` (the id of what is wrong) and `found` (what is wrong with it, in words). Each statement
 * sees one state by itself, so checks may run one after the other beside a control plane at work.
 */
export interface AuditCheck {
  /** Stable name, for reports and tests: `one-live-attempt`. */
  readonly id: string;
  /** The rule it guards, as it is numbered in the guarantees: `A1`. */
  readonly invariant: string;
  /** The rule in one sentence. */
  readonly words: string;
  readonly sql: string;
}

/** Statuses, written once for every check. */
export const STATUSES = {
  endedTask: `('completed', 'failed', 'cancelled', 'skipped', 'superseded')`,
  endedRun: `('completed', 'failed', 'cancelled')`,
  openAttempt: `('claimed', 'running', 'parked', 'stopping')`,
} as const;
