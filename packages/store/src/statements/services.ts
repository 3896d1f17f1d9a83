import type { NeedsRow, TimerRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';

/** A timer that is due; `loggedAtMs` is when the attempt that an idle timer watches last wrote. */
export type DueTimer = TimerRow & { readonly loggedAtMs: number | null };

/** `statement_timestamp()` is the clock that an index can be searched with; `clock_timestamp()` is not. */
export const dueTimers = statement({
  name: 'dueTimers',
  args: (limit: number) => [limit],
  row: z.strictObject({
    ...TABLES.timers.shape,
    loggedAtMs: z.int().nullable(),
  }) as unknown as z.ZodType<DueTimer>,
  sql: `
    select ${TABLES.timers.select('t')},
           (select c.at
              from log_chunks c
             where t.kind = 'idle_timeout'
               and c.attempt_id = t.attempt_id
             order by c.seq desc
             limit 1) as "loggedAtMs"
      from timers t
     where t.due_at <= statement_timestamp()
     order by t.due_at, t.id
     limit $1`,
});

/** Timers whose instant has come by the database's clock, the earliest first. */
export function listDueTimers(queries: Asker, limit: number): Promise<DueTimer[]> {
  return queries.query(dueTimers, limit);
}

/** An open attempt whose lease is over; `leaseUntilMs` is the lease that was seen. */
export interface ExpiredLease {
  readonly id: string;
  readonly projectId: string;
  readonly leaseUntilMs: number;
}

export const expiredLeases = statement({
  name: 'expiredLeases',
  args: (limit: number) => [limit],
  row: z.strictObject({ id: z.string(), projectId: z.string(), leaseUntilMs: z.int() }),
  sql: `
    select id, project_id as "projectId", lease_until as "leaseUntilMs"
      from attempts
     where ended_at is null
       and status <> 'stopping'
       and lease_until <= statement_timestamp()
     order by lease_until, id
     limit $1`,
});

/** Attempts that were silent for longer than their lease; those being stopped have a deadline instead. */
export function listExpiredLeases(queries: Asker, limit: number): Promise<ExpiredLease[]> {
  return queries.query(expiredLeases, limit);
}

const OPEN_ATTEMPTS_MAX = 100_000;

export const openAttemptIds = statement({
  name: 'openAttemptIds',
  args: () => [OPEN_ATTEMPTS_MAX],
  row: z.strictObject({ id: z.string(), projectId: z.string() }),
  sql: `
    select id, project_id as "projectId"
      from attempts
     where ended_at is null
       and status <> 'stopping'
     order by id
     limit $1`,
});

/** Attempts that are claimed, running or parked, of all projects. */
export function listOpenAttemptIds(
  queries: Asker,
): Promise<{ readonly id: string; readonly projectId: string }[]> {
  return queries.query(openAttemptIds);
}

/** After how long without a beat a worker counts as silent, and as offline; at most `limit` workers. */
export interface PresenceBounds {
  readonly silentMs: number;
  readonly offlineMs: number;
  readonly limit: number;
}

export const workersToSweep = statement({
  name: 'workersToSweep',
  args: ({ silentMs, offlineMs, limit }: PresenceBounds) => [silentMs, offlineMs, limit],
  row: z.strictObject({ id: z.string(), projectId: z.string() }),
  sql: `
    select id, project_id as "projectId"
      from workers
     where (presence = 'online'
            and coalesce(last_seen_at, registered_at)
              < statement_timestamp() - $1::float8 * interval '1 millisecond')
        or (presence <> 'offline'
            and coalesce(last_seen_at, registered_at)
              < statement_timestamp() - $2::float8 * interval '1 millisecond')
     order by id
     limit $3`,
});

/** Workers whose last beat is older than their presence says. */
export function listWorkersToSweep(
  queries: Asker,
  bounds: PresenceBounds,
): Promise<{ readonly id: string; readonly projectId: string }[]> {
  return queries.query(workersToSweep, bounds);
}

const NEEDS_MAX = 100_000;

export const claimableNeeds = statement({
  name: 'claimableNeeds',
  args: () => [NEEDS_MAX],
  row: TABLES.needs.row,
  sql: `
    select ${TABLES.needs.select('n')}
      from needs n
     where exists (select 1
                     from ready r
                    where r.project_id = n.project_id
                      and r.needs_id = n.id)
     order by n.id
     limit $1`,
});

/** The distinct needs of the work that is ready, held or not, of all projects. */
export function listNeeds(queries: Asker): Promise<NeedsRow[]> {
  return queries.query(claimableNeeds);
}

const ENGINES_MAX = 10_000;

export const knownEngines = statement({
  name: 'knownEngines',
  args: () => [ENGINES_MAX],
  row: z.strictObject({ projectId: z.string(), engine: z.string(), workers: z.int() }),
  sql: `
    select w.project_id as "projectId", e.engine ->> 'name' as engine, count(*) as workers
      from workers w
     cross join lateral jsonb_array_elements(w.capabilities -> 'engines') as e (engine)
     group by 1, 2
     order by 1, 2
     limit $1`,
});

/** Engines that workers advertise, by project and name, with the number of those workers. */
export function listKnownEngines(
  queries: Asker,
): Promise<{ readonly projectId: string; readonly engine: string; readonly workers: number }[]> {
  return queries.query(knownEngines);
}

export const declaredOutputs = statement({
  name: 'declaredOutputs',
  args: (attempt: string) => [attempt],
  row: z.strictObject({ key: z.string(), schema: z.unknown() }),
  sql: `
    select o.output ->> 'key' as key, o.output -> 'schema' as schema
      from attempts a
      join task_specs s
        on s.task_id = a.task_id
     cross join lateral json_array_elements(s.spec -> 'outputs') as o (output)
     where a.id = $1
     limit 1000`,
});

/** Contracts that the task of an attempt declares; `schema` is absent where anything goes. */
export async function findDeclaredOutputs(
  queries: Asker,
  attempt: string,
): Promise<{ readonly key: string; readonly schema?: unknown }[]> {
  const rows = await queries.query(declaredOutputs, attempt);
  return rows.map(({ key, schema }) => (schema === null ? { key } : { key, schema }));
}

const LIMITS_MAX = 100_000;

export const limitedKeys = statement({
  name: 'limitedKeys',
  args: () => [LIMITS_MAX],
  row: z.strictObject({ projectId: z.string(), key: z.string() }),
  sql: `
    select project_id as "projectId", key
      from limits
     order by id
     limit $1`,
});

/** Keys that have a limit, of all projects. */
export function listLimitedKeys(
  queries: Asker,
): Promise<{ readonly projectId: string; readonly key: string }[]> {
  return queries.query(limitedKeys);
}

const PROJECTS_MAX = 100_000;

export const passes = statement({
  name: 'passes',
  args: () => [PROJECTS_MAX],
  row: z.strictObject({ projectId: z.string(), pass: z.number() }),
  sql: `
    select project_id as "projectId", min(pass) as pass
      from ready
     where held is null
     group by project_id
     order by project_id
     limit $1`,
});

/** How far turns have come in each project that has work: no claimable task has an earlier one. */
export function listPasses(
  queries: Asker,
): Promise<{ readonly projectId: string; readonly pass: number }[]> {
  return queries.query(passes);
}
