import type { AdminSession } from '../db.ts';

/** One thing that is wrong: the id of what it is, and words. */
export interface AuditFault {
  readonly subject: string;
  readonly found: string;
}

/**
 * One rule about stored rows, as data. `sql` is one statement without parameters: a row for each fault,
 * with `subject` and `found`. Each statement sees one state by itself, so checks may run one after the
 * other beside a control plane at work. `judge` stands in its place for what SQL cannot say at a
 * reasonable cost.
 */
export type AuditCheck = AuditRule &
  (
    | { readonly sql: string }
    | { readonly judge: (queries: Pick<AdminSession, 'query'>) => Promise<readonly AuditFault[]> }
  );

interface AuditRule {
  /** Stable name, for reports and tests: `one-live-attempt`. */
  readonly id: string;
  /** The rule it guards, as it is numbered in the guarantees: `A1`. */
  readonly invariant: string;
  /** The rule in one sentence. */
  readonly words: string;
}

/** Statuses, written once for every check. */
export const STATUSES = {
  endedTask: `('completed', 'failed', 'cancelled', 'skipped', 'superseded')`,
  endedRun: `('completed', 'failed', 'cancelled')`,
  openAttempt: `('claimed', 'running', 'parked', 'stopping')`,
} as const;
