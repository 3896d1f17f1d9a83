import { DEFAULTS } from '@baton/contract';
import { z } from 'zod';
import type { Asker, Db } from '../db.ts';
import { statement } from '../statement.ts';

const ROWS_A_PASS = 1_000;

/** Removes what is over; each table at most `limit` rows. */
export const purgeStatement = statement({
  name: 'purgeExpired',
  args: (limit: number) => [limit, DEFAULTS.idempotencyKeyDays, DEFAULTS.eventsKeptDays],
  row: z.strictObject({ count: z.int() }),
  sql: `
    with keys as (
      delete from idempotency_keys
       where (scope, key) in (select scope, key
                                from idempotency_keys
                               where created_at < clock_timestamp() - make_interval(days => $2)
                               limit $1)
      returning 1),
    sessions as (
      delete from web_sessions
       where id in (select id from web_sessions where expires_at < clock_timestamp() limit $1)
      returning 1),
    codes as (
      delete from login_codes
       where code_hash in (select code_hash
                             from login_codes
                            where expires_at < clock_timestamp()
                            limit $1)
      returning 1),
    purged as (
      delete from purged_ids
       where (project_id, id) in (select project_id, id
                                    from purged_ids
                                   where purged_at < clock_timestamp() - make_interval(days => $3)
                                   limit $1)
      returning 1)
    select (select count(*) from keys) + (select count(*) from sessions)
         + (select count(*) from codes) + (select count(*) from purged) as count`,
});

/** Removes expired idempotency keys, sessions and login codes. Resolves with how many. */
export async function purgeExpired(queries: Asker): Promise<number> {
  let total = 0;
  for (;;) {
    const [row] = await queries.query(purgeStatement, ROWS_A_PASS);
    const count = row?.count ?? 0;
    total += count;
    if (count < ROWS_A_PASS) return total;
  }
}

/** Tables that grow dead rows, the hottest first. */
const VACUUMED = [
  'feed',
  'ready',
  'timers',
  'runs',
  'tasks',
  'attempts',
  'workers',
  'dependencies',
  'checkpoints',
  'log_heads',
  'events',
  'idempotency_keys',
  'consumers',
];

/** Where the log that is written ahead has come to. */
export const writtenStatement = statement({
  name: 'writtenBytes',
  args: () => [],
  row: z.strictObject({ bytes: z.number() }),
  sql: `
    select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as bytes`,
});

/** How many bytes the embedded database has ever written ahead; undefined for a server. */
export async function findWrittenBytes(db: Db): Promise<number | undefined> {
  if (db.kind !== 'pglite') return undefined;
  const [row] = await db.query(writtenStatement);
  return row?.bytes;
}

/**
 * Does for the embedded database what a server does by itself: vacuum, fresh statistics, a checkpoint.
 * A table at a time, so that commands and reads get their turn in between. Does nothing on a server.
 */
export async function maintain(db: Db): Promise<void> {
  if (db.kind !== 'pglite') return;
  for (const table of VACUUMED) {
    await db.exclusive((admin) => admin.script(`vacuum (analyze) ${table}`));
  }
  await db.exclusive((admin) => admin.script('checkpoint'));
}
