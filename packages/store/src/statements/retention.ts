import { z } from 'zod';
import type { AdminSession, Asker, Db } from '../db.ts';
import { statement } from '../statement.ts';

/** Turns the history over to a new part; see migration 0016. */
export const turnEventPeriod = statement({
  name: 'turnEventPeriod',
  args: (from: number) => [from],
  row: z.strictObject({ period: z.int() }),
  sql: `
    with turned as (
      update feed
         set period = period + 1
       where id = 1
         and period = $1
      returning period, next_pos)
    insert into event_periods (period, first_pos, began_at)
    select period, next_pos, clock_timestamp()
      from turned
    returning period`,
});

export const makeEventPeriod = statement({
  name: 'makeEventPeriod',
  args: (period: number) => [period],
  row: z.strictObject({ made: z.string() }),
  sql: `select create_event_period($1::integer)::text as made`,
});

/** The part that is written now, when it is old enough to be turned over and has anything in it. */
export const findFullPeriod = statement({
  name: 'findFullPeriod',
  args: (partMs: number) => [partMs],
  row: z.strictObject({ period: z.int() }),
  sql: `
    select p.period
      from feed f
      join event_periods p
        on p.period = f.period
     where f.next_pos > p.first_pos
       and p.began_at < clock_timestamp() - $1::double precision * interval '1 millisecond'`,
});

/**
 * Begins a new part of the history when the one that is written is older than `partMs`. Resolves with
 * the new part. Interrupted, it leaves at most an empty table that the next try uses.
 */
export async function turnHistory(queries: Asker, partMs: number): Promise<number | undefined> {
  const [full] = await queries.query(findFullPeriod, partMs);
  if (full === undefined) return undefined;
  await queries.query(makeEventPeriod, full.period + 1);
  const [turned] = await queries.query(turnEventPeriod, full.period);
  return turned?.period;
}

/**
 * The oldest part that nobody needs any more: all of it is older than `keepMs`, every consumer has read
 * beyond it, and no run that is still open has an event in it.
 */
export const findSpentPeriod = statement({
  name: 'findSpentPeriod',
  args: (keepMs: number) => [keepMs],
  row: z.strictObject({ period: z.int(), end_pos: z.int() }),
  sql: `
    select p.period, following.first_pos as end_pos
      from event_periods p
      join event_periods following
        on following.period = (select min(q.period) from event_periods q where q.period > p.period)
     where p.period = (select min(period) from event_periods)
       and following.began_at < clock_timestamp() - $1::double precision * interval '1 millisecond'
       and not exists (select 1
                         from consumers c
                        where c.pos < following.first_pos - 1)
       and not exists (select 1
                         from events e
                         join runs r
                           on r.id = e.run_id
                        where e.period = p.period
                          and r.ended_at is null)`,
});

export const forgetEventPeriod = statement({
  name: 'forgetEventPeriod',
  args: (period: number) => [period],
  row: z.strictObject({ period: z.int() }),
  sql: `
    delete from event_periods
     where period = $1
    returning period`,
});

/** How long dropping a part waits for its readers before it gives way; the next pass tries again. */
const DROP_LOCK_WAIT = '2s';

/**
 * Drops the oldest part of the history if it is spent, in one transaction: interrupted anywhere, the
 * part is there or it is not. Resolves with whether one went.
 */
export function dropSpentHistory(db: Pick<Db, 'exclusive'>, keepMs: number): Promise<boolean> {
  return db.exclusive(async (admin) => {
    const [spent] = await admin.query(findSpentPeriod, keepMs);
    if (spent === undefined) return false;
    await dropPart(admin, spent.period);
    return true;
  });
}

async function dropPart(admin: AdminSession, period: number): Promise<void> {
  await admin.script(`begin; set local lock_timeout = '${DROP_LOCK_WAIT}'`);
  try {
    const forgotten = await admin.query(forgetEventPeriod, period);
    // Another replica was first.
    if (forgotten.length > 0) await admin.script(`drop table events_${period}`);
    await admin.script('commit');
  } catch (error) {
    await admin.script('rollback');
    throw error;
  }
}

export const readFeedFloor = statement({
  name: 'readFeedFloor',
  args: () => [],
  row: z.strictObject({ pos: z.int() }),
  sql: `
    select coalesce(min(first_pos), 1) as pos
      from event_periods`,
});

/** The oldest position that is still kept. */
export async function feedFloor(queries: Asker): Promise<number> {
  const [row] = await queries.query(readFeedFloor);
  return row?.pos ?? 1;
}

/** Runs that ended longer than `keepMs` ago and are not being purged, the oldest first. */
export const listRunsToForget = statement({
  name: 'listRunsToForget',
  args: (keepMs: number, limit: number) => [keepMs, limit],
  row: z.strictObject({ id: z.string(), projectId: z.string() }),
  sql: `
    select id, project_id as "projectId"
      from runs
     where ended_at < clock_timestamp() - $1::double precision * interval '1 millisecond'
       and purge_at is null
     order by ended_at
     limit $2`,
});

/** A piece of the output of runs that ended long ago. The heads stay: they say how much there was. */
export const forgetLogs = statement({
  name: 'forgetLogs',
  args: (keepMs: number, limit: number) => [keepMs, limit],
  row: z.strictObject({ count: z.int() }),
  sql: `
    with gone as (
      delete from log_chunks
       where (attempt_id, stream, start_offset) in (
             select c.attempt_id, c.stream, c.start_offset
               from runs r
               join log_chunks c
                 on c.run_id = r.id
              where r.ended_at < clock_timestamp() - $1::double precision * interval '1 millisecond'
              limit $2)
      returning 1)
    select count(*) as count
      from gone`,
});
