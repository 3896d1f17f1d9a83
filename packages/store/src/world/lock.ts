import { DEFAULTS } from '@baton/contract';
import { SEQ_PER_MS, type LimitSlotRow, type ReadyRow, type TableName } from '@baton/kernel';
import { z } from 'zod';
import type { Asker, Queries } from '../db.ts';
import { bind, statement, type Bound, type Statement } from '../statement.ts';
import { lockIdempotencyKeys, type IdempotencyKey } from '../statements/idempotency.ts';
import { StoreError } from '../store-error.ts';
import { TABLES } from '../tables.ts';
import { eachTable } from '../tables/each-table.ts';
import { splitName } from './load.ts';

type IdsStatement = Statement<[ids: readonly string[]], { id: string }>;

/** One statement a table, waiting for the rows named in the order of their keys. */
export const LOCK_STATEMENTS: { readonly [T in TableName]: IdsStatement } = eachTable(
  (table): IdsStatement => {
    const key = table.key.name;
    return statement({
      name: `lock_${table.sqlName}`,
      args: (ids: readonly string[]) => [ids],
      row: z.strictObject({ id: z.string() }),
      sql: `
    select ${key} as id
      from ${table.sqlName}
     where ${key} = any($1::text[])
     order by ${key}
       for no key update`,
    });
  },
);

/** Workers by id and by name, in one order, so that two batches never wait for each other. */
export const lockWorkers = statement({
  name: 'lockWorkers',
  args: (ids: readonly string[], names: readonly string[]) => [
    ids,
    names.map((it) => splitName(it)[0]),
    names.map((it) => splitName(it)[1]),
  ],
  row: z.strictObject({ id: z.string(), changes: z.int() }),
  sql: `
    select id, changes
      from workers
     where id = any($1::text[])
        or id in (select named.id
                    from unnest($2::text[], $3::text[]) as u (project_id, name)
                    join workers named
                      on named.project_id = u.project_id
                     and named.name = u.name)
     order by id
       for no key update`,
});

/** The runs of tasks, attempts, checkpoints and timers; these links hardly ever change. */
export const runsOf = statement({
  name: 'runsOf',
  args: (
    tasks: readonly string[],
    attempts: readonly string[],
    checkpoints: readonly string[],
    timers: readonly string[],
  ) => [tasks, attempts, checkpoints, timers],
  row: z.strictObject({ run_id: z.string() }),
  sql: `
    select run_id
      from tasks
     where id = any($1::text[])
     union
    select run_id
      from attempts
     where id = any($2::text[])
     union
    select run_id
      from checkpoints
     where id = any($3::text[])
     union
    select run_id
      from timers
     where id = any($4::text[])`,
});

/** The database's clock, now and not at the start of the transaction. */
export const readClock = statement({
  name: 'readClock',
  args: () => [],
  row: z.strictObject({ now: z.int() }),
  sql: `select clock_timestamp() as now`,
});

/** Waits until nobody hands out work of some projects, and keeps everybody from it. */
export const lockLimits = statement({
  name: 'lockLimits',
  args: (projects: readonly string[]) => [projects],
  row: z.strictObject({ locked: z.boolean() }),
  sql: `
    select pg_advisory_xact_lock(hash) is not null as locked
      from (select hashtextextended(u.project, 27) as hash
              from unnest($1::text[]) as u (project)
             order by 1) as ordered`,
});

/** Keeps the limits of a project as they are while work is handed out; false: they change just now. */
export const shareLimits = statement({
  name: 'shareLimits',
  args: (project: string) => [project],
  row: z.strictObject({ shared: z.boolean() }),
  sql: `
    select pg_try_advisory_xact_lock_shared(hashtextextended($1, 27)) as shared`,
});

/** What a batch names before anything is read. Names of workers are `<projectId>/<name>`. */
export interface BatchNames {
  readonly tasks: readonly string[];
  readonly attempts: readonly string[];
  readonly checkpoints: readonly string[];
  readonly timers: readonly string[];
  readonly workers: readonly string[];
  readonly workerNames: readonly string[];
  readonly joinTokens: readonly string[];
  readonly idempotency: readonly IdempotencyKey[];
  /** Projects whose limits change. */
  readonly limitsOf?: readonly string[];
}

/** What the first locks of a batch tell; see `lockBatch`. */
export interface LockedBatch {
  readonly nowMs: number;
  readonly runs: readonly string[];
  readonly workers: ReadonlyMap<string, number>;
}

/**
 * The first locks of a batch, in one round trip: idempotency keys, join tokens, workers. Resolves with
 * the runs to lock next, ascending, the database's clock as it was when the locks were held, and how often
 * the row of each locked worker was changed.
 */
export async function lockBatch(queries: Queries, names: BatchNames): Promise<LockedBatch> {
  const locks: Bound<unknown>[] = [];
  if (names.idempotency.length > 0) locks.push(bind(lockIdempotencyKeys, names.idempotency));
  const limitsOf = names.limitsOf ?? [];
  if (limitsOf.length > 0) locks.push(bind(lockLimits, limitsOf));
  if (names.joinTokens.length > 0) locks.push(bind(LOCK_STATEMENTS.joinTokens, names.joinTokens));
  const areWorkers = names.workers.length + names.workerNames.length > 0;
  if (areWorkers) locks.push(bind(lockWorkers, names.workers, names.workerNames));
  const { tasks, attempts, checkpoints, timers } = names;
  const isNamed = [tasks, attempts, checkpoints, timers].some((ids) => ids.length > 0);
  const finding = isNamed ? [bind(runsOf, tasks, attempts, checkpoints, timers)] : [];
  const answers = await queries.pipeline([...locks, bind(readClock), ...finding]);
  const [clock, found] = answers.slice(locks.length) as [{ now: number }[], { run_id: string }[]?];
  const nowMs = clock[0]?.now;
  if (nowMs === undefined) throw new Error('the database did not tell the time');
  type WorkerLock = { readonly id: string; readonly changes: number };
  const held = areWorkers ? (answers[locks.length - 1] as WorkerLock[]) : [];
  return {
    nowMs,
    runs: (found ?? []).map((row) => row.run_id).sort(),
    workers: new Map(held.map((row) => [row.id, row.changes])),
  };
}

export const lockRunsStatement = statement({
  name: 'lockRuns',
  args: (ids: readonly string[]) => [ids],
  row: z.strictObject({ id: z.string(), version: z.int() }),
  sql: `
    select id, version
      from runs
     where id = any($1::text[])
     order by id
       for no key update`,
});

/**
 * Locks runs, ascending, waiting for those that hold them. Load their rows after it. Resolves with their
 * versions: the number of batches that changed anything of them.
 */
export async function lockRuns(
  queries: Queries,
  runs: readonly string[],
): Promise<Map<string, number>> {
  const rows = await queries.query(lockRunsStatement, runs);
  return new Map(rows.map((row) => [row.id, row.version]));
}

/**
 * Heads of the queues of some needs, at most `limitPerNeeds` each, best first, locked together with
 * their runs. What another transaction holds is skipped, so this never waits.
 */
export const claimCandidates = statement({
  name: 'claimCandidates',
  args: (projectId: string, needsIds: readonly string[], limitPerNeeds: number) => [
    projectId,
    needsIds,
    limitPerNeeds,
  ],
  row: z.strictObject({ ...TABLES.ready.shape, version: z.int() }) as unknown as z.ZodType<
    ReadyRow & { readonly version: number }
  >,
  sql: `
    select ${TABLES.ready.select('head')},
      head.version
      from unnest($2::text[]) as wanted (needs_id)
     cross join lateral
           (select ${TABLES.ready.columns.map((column) => `r.${column.name}`).join(', ')}, u.version
              from ready r
              join runs u
                on u.id = r.run_id
             where r.project_id = $1
               and r.needs_id = wanted.needs_id
               and r.held is null
             order by r.priority, r.pass, r.seq
             limit $3
               for no key update of r, u skip locked) as head
     order by head.priority, head.pass, head.seq`,
});

/** The rows of `claimCandidates`, best first, and the versions of their runs. */
export async function lockClaimCandidates(
  queries: Queries,
  projectId: string,
  needsIds: readonly string[],
  limitPerNeeds: number,
): Promise<{ readonly rows: ReadyRow[]; readonly versions: Map<string, number> }> {
  const found = await queries.query(claimCandidates, projectId, needsIds, limitPerNeeds);
  const versions = new Map(found.map((row) => [row.runId, row.version]));
  return { rows: found.map(({ version: _version, ...row }) => row), versions };
}

function freeSlotsStatement(name: string, lock: string) {
  return statement({
    name,
    args: (projectId: string, limitPerKey: number) => [projectId, limitPerKey],
    row: TABLES.limitSlots.row,
    sql: `
    select ${TABLES.limitSlots.select('free')}
      from limits l
     cross join lateral
           (select s.*
              from limit_slots s
             where s.limit_id = l.id
               and s.attempt_id = ''
               and not s.surplus
             order by s.no
             limit $2 ${lock}) as free
     where l.project_id = $1
       and l.max_running is not null
     order by free.limit_id, free.no`,
  });
}

/**
 * Free places under the limits of a project, at most `limitPerKey` of each, locked. What another
 * transaction is taking is skipped, so this never waits.
 */
export const freeSlots = freeSlotsStatement('freeSlots', 'for no key update of s skip locked');

/** The same, only looked at. */
export const seenFreeSlots = freeSlotsStatement('seenFreeSlots', '');

/** The heads of `claimCandidates`, only looked at: what others hold is there, and nobody waits. */
export const seenCandidates = statement({
  name: 'seenCandidates',
  args: (projectId: string, needsIds: readonly string[], limitPerNeeds: number) => [
    projectId,
    needsIds,
    limitPerNeeds,
  ],
  row: TABLES.ready.row,
  sql: `
    select ${TABLES.ready.select('head')}
      from unnest($2::text[]) as wanted (needs_id)
     cross join lateral
           (select r.*
              from ready r
             where r.project_id = $1
               and r.needs_id = wanted.needs_id
               and r.held is null
             order by r.priority, r.pass, r.seq
             limit $3) as head
     order by head.priority, head.pass, head.seq`,
});

/** What claims would find, read without locks and without getting in their way. */
export function seeClaimable(queries: Asker): {
  candidates(projectId: string, needsIds: readonly string[], limit: number): Promise<ReadyRow[]>;
  freeSlots(projectId: string, limitPerKey: number): Promise<LimitSlotRow[]>;
} {
  return {
    candidates: (...args) => queries.query(seenCandidates, ...args),
    freeSlots: (...args) => queries.query(seenFreeSlots, ...args),
  };
}

/**
 * The rows of `freeSlots`, and the limits of the project kept as they are until the transaction ends: read
 * them after it. @throws {StoreError} retryable while somebody changes them
 */
export async function lockFreeSlots(
  queries: Queries,
  projectId: string,
  limitPerKey: number,
): Promise<LimitSlotRow[]> {
  const [[lock], slots] = await Promise.all([
    queries.query(shareLimits, projectId),
    queries.query(freeSlots, projectId, limitPerKey),
  ]);
  if (lock?.shared !== true) throw new StoreError('retryable', 'limits are being changed');
  return slots;
}

/**
 * The heads of the lower classes of some needs that wait since before a place in the queue, locked
 * together with their runs. Never waits.
 */
export const risenCandidates = statement({
  name: 'risenCandidates',
  args: (projectId: string, needsIds: readonly string[], beforeSeq: number, perClass: number) => [
    projectId,
    needsIds,
    beforeSeq,
    perClass,
  ],
  row: TABLES.ready.row,
  sql: `
    select ${TABLES.ready.select('head')}
      from unnest($2::text[]) as wanted (needs_id)
     cross join generate_series(1, 3) as class (priority)
     cross join lateral
           (select ${TABLES.ready.columns.map((column) => `r.${column.name}`).join(', ')}
              from ready r
              join runs u
                on u.id = r.run_id
             where r.project_id = $1
               and r.needs_id = wanted.needs_id
               and r.priority = class.priority
               and r.held is null
             order by r.pass, r.seq
             limit $4
               for no key update of r, u skip locked) as head
     where head.seq < $3
     order by head.priority, head.pass, head.seq`,
});

/** Heads of one class that are looked at: few, because this is done again and again. */
const risenPerClass = 2;

/** The rows of `risenCandidates` that have waited for a class or more. */
export async function lockRisenCandidates(
  queries: Queries,
  projectId: string,
  needsIds: readonly string[],
  nowMs: number,
): Promise<ReadyRow[]> {
  const beforeSeq = Math.floor((nowMs - DEFAULTS.agingMinutes * 60_000) * SEQ_PER_MS);
  return queries.query(risenCandidates, projectId, needsIds, beforeSeq, risenPerClass);
}
