import { z } from 'zod';
import type { AdminSession, Db } from '../db.ts';
import { statement } from '../statement.ts';
import { ATTEMPT_CHECKS } from './attempt-checks.ts';
import type { AuditCheck, AuditFault } from './audit-check.ts';
import { FEED_CHECKS } from './feed-checks.ts';
import { GRAPH_CHECKS } from './graph-checks.ts';
import { QUEUE_CHECKS } from './queue-checks.ts';
import { REFERENCE_CHECKS } from './reference-checks.ts';
import { SCHEDULING_CHECKS } from './scheduling-checks.ts';

/** Every rule that stored rows can be held against, in the order of the report. */
export const AUDIT_CHECKS: readonly AuditCheck[] = [
  ...ATTEMPT_CHECKS,
  ...GRAPH_CHECKS,
  ...QUEUE_CHECKS,
  ...SCHEDULING_CHECKS,
  ...FEED_CHECKS,
  ...REFERENCE_CHECKS,
];

/** What a check found. `count` is all of it, `faults` the first few. */
export interface AuditFinding {
  readonly id: string;
  readonly invariant: string;
  readonly words: string;
  readonly count: number;
  readonly faults: readonly AuditFault[];
}

/** Faults of one check that are told, at most. */
const FAULTS_MAX = 20;

/** The faults of a check and how many there are in all. */
function faultsOf(id: string, sql: string) {
  return statement({
    name: `audit_${id}`,
    args: () => [FAULTS_MAX],
    row: z.strictObject({ subject: z.string(), found: z.string(), count: z.int() }),
    sql: `
    select fault.subject, fault.found, count(*) over () as count
      from (${sql}) as fault
     order by fault.subject, fault.found
     limit $1`,
  });
}

/** Holds the database against one rule. */
export async function runCheck(
  queries: Pick<AdminSession, 'query'>,
  check: AuditCheck,
): Promise<AuditFinding> {
  const { id, invariant, words } = check;
  if ('judge' in check) {
    const faults = await check.judge(queries);
    return { id, invariant, words, count: faults.length, faults: faults.slice(0, FAULTS_MAX) };
  }
  const rows = await queries.query(faultsOf(id, check.sql));
  return {
    id,
    invariant,
    words,
    count: rows[0]?.count ?? 0,
    faults: rows.map(({ subject, found }) => ({ subject, found })),
  };
}

/**
 * Holds the database against every rule, one after the other and each in one statement: a control plane
 * at work gets its turn in between. Reads only. One finding a check; those with `count` 0 are well.
 * @throws {StoreError} when the database cannot be read
 */
export async function auditDatabase(
  db: Pick<Db, 'exclusive'>,
  checks: readonly AuditCheck[] = AUDIT_CHECKS,
): Promise<AuditFinding[]> {
  const findings: AuditFinding[] = [];
  for (const check of checks) {
    findings.push(await db.exclusive((admin) => runCheck(admin, check)));
  }
  return findings;
}
