// Locks of a batch that was decided from memory. Each is a condition as well: what it names must still be
// as it was when it was read, or the statement fails (40001) and nothing of its transaction is done.
import { z } from 'zod';
import { bind, statement, type Bound } from '../statement.ts';

const counted = z.strictObject({ count: z.int() });

function lockAt(name: string, table: string, counter: string) {
  return statement({
    name,
    args: (expected: ReadonlyMap<string, number>) => [[...expected.keys()], [...expected.values()]],
    row: counted,
    // Who waits for the lock looks at the row as it is then.
    sql: `
    with held as (
      select t.id
        from unnest($1::text[], $2::bigint[]) as u (id, expected)
        join ${table} t
          on t.id = u.id
         and t.${counter} = u.expected
       order by t.id
         for no key update of t)
    select expect_rows(count(*), cardinality($1::text[]), '${name}') as count
      from held`,
  });
}

/** Workers by id, with how often each was changed. Ascending, like every lock of workers. */
export const lockWorkersAt = lockAt('lockWorkersAt', 'workers', 'changes');

/** Runs by id, with their versions. Ascending, like every lock of runs. */
export const lockRunsAt = lockAt('lockRunsAt', 'runs', 'version');

/** Keeps the limits of projects as they are; never waits, and fails while somebody changes them. */
export const shareLimitsNow = statement({
  name: 'shareLimitsNow',
  args: (projects: readonly string[]) => [projects],
  row: counted,
  sql: `
    select expect_rows(count(*) filter (where tried.shared), count(*), 'shareLimitsNow') as count
      from (select pg_try_advisory_xact_lock_shared(hashtextextended(u.project, 27)) as shared
              from unnest($1::text[]) as u (project)) as tried`,
});

/** What a batch read before, and what must not have changed since. */
export interface LockPremises {
  /** Versions by id. */
  readonly runs: ReadonlyMap<string, number>;
  /** Counts of changes by id. */
  readonly workers: ReadonlyMap<string, number>;
  /** Projects whose limits must not be under change. */
  readonly limitsOf: readonly string[];
}

/** The locks in the order in which every batch takes them: workers, runs, limits. */
export function premiseLocks({ runs, workers, limitsOf }: LockPremises): Bound<unknown>[] {
  return [
    ...(workers.size === 0 ? [] : [bind(lockWorkersAt, workers)]),
    ...(runs.size === 0 ? [] : [bind(lockRunsAt, runs)]),
    ...(limitsOf.length === 0 ? [] : [bind(shareLimitsNow, limitsOf)]),
  ];
}
