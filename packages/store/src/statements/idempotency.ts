import { DEFAULTS } from '@baton/contract';
import type { Reply } from '@baton/kernel';
import { z } from 'zod';
import type { Queries } from '../db.ts';
import { toTimestamptz } from '../parameters.ts';
import { bind, statement, type Bound } from '../statement.ts';
import { toJsonText } from '../tables/column.ts';

/** `scope` is whoever may use the key: an API key, a user, a worker. */
export interface IdempotencyKey {
  readonly scope: string;
  readonly key: string;
}

/** The first answer to a request with a key. */
export interface IdempotentReply {
  readonly requestSha256: string;
  readonly reply: Reply;
}

/** One text for a key, to look its answer up by. */
export function idempotencyId({ scope, key }: IdempotencyKey): string {
  return `${scope}\n${key}`;
}

const scopesOf = (keys: readonly IdempotencyKey[]): string[] => keys.map((it) => it.scope);
const keysOf = (keys: readonly IdempotencyKey[]): string[] => keys.map((it) => it.key);

/**
 * Holds keys until the transaction ends, whether they are stored or not. Two keys with the same hash
 * wait for each other for nothing, which is harmless.
 */
export const lockIdempotencyKeys = statement({
  name: 'lockIdempotencyKeys',
  args: (keys: readonly IdempotencyKey[]) => [scopesOf(keys), keysOf(keys)],
  row: z.strictObject({ locked: z.boolean() }),
  sql: `
    select pg_advisory_xact_lock(hash) is not null as locked
      from (select distinct hashtextextended(u.scope || chr(10) || u.key, 4664) as hash
              from unnest($1::text[], $2::text[]) as u (scope, key)
             order by 1) as ordered`,
});

export const loadIdempotencyKeys = statement({
  name: 'loadIdempotencyKeys',
  args: (keys: readonly IdempotencyKey[]) => [
    scopesOf(keys),
    keysOf(keys),
    DEFAULTS.idempotencyKeyDays,
  ],
  row: z.strictObject({
    scope: z.string(),
    key: z.string(),
    request_sha256: z.string(),
    reply: z.custom<Reply>(),
  }),
  sql: `
    select k.scope, k.key, k.request_sha256, k.reply
      from idempotency_keys k
      join (select distinct scope, key
              from unnest($1::text[], $2::text[]) as u (scope, key)) as asked
        on asked.scope = k.scope
       and asked.key = k.key
     where k.created_at > clock_timestamp() - make_interval(days => $3)`,
});

/**
 * Stored answers by `idempotencyId`; keys that are new or too old are not in the map. Their locks must
 * be held.
 */
export async function findIdempotent(
  queries: Queries,
  keys: readonly IdempotencyKey[],
): Promise<Map<string, IdempotentReply>> {
  const rows = await queries.query(loadIdempotencyKeys, keys);
  return new Map(
    rows.map((row) => [
      idempotencyId(row),
      { requestSha256: row.request_sha256, reply: row.reply },
    ]),
  );
}

/**
 * Stores answers; one that is too old to count is replaced, and one that counts is an error (40001):
 * somebody else was first. A key may be named only once.
 */
export const storeIdempotencyKeys = statement({
  name: 'storeIdempotencyKeys',
  args: (replies: readonly (IdempotencyKey & IdempotentReply)[], nowMs: number) => [
    scopesOf(replies),
    keysOf(replies),
    replies.map((it) => it.requestSha256),
    replies.map((it) => toJsonText(it.reply)),
    toTimestamptz(nowMs),
    DEFAULTS.idempotencyKeyDays,
  ],
  row: z.strictObject({ count: z.int() }),
  sql: `
    with stored as (
      insert into idempotency_keys as k (scope, key, request_sha256, reply, created_at)
      select u.scope, u.key, u.request_sha256, u.reply::json, $5::timestamptz
        from unnest($1::text[], $2::text[], $3::text[], $4::text[])
          as u (scope, key, request_sha256, reply)
       order by u.scope, u.key
          on conflict (scope, key) do update
         set request_sha256 = excluded.request_sha256,
             reply = excluded.reply,
             created_at = excluded.created_at
       where k.created_at <= clock_timestamp() - make_interval(days => $6)
      returning 1)
    select expect_rows(count(*), cardinality($1::text[]), 'storeIdempotencyKeys') as count
      from stored`,
});

/** The statement that stores a batch's first answers, for `commitWith`. */
export function insertIdempotent(
  replies: readonly (IdempotencyKey & IdempotentReply)[],
  nowMs: number,
): Bound<unknown> {
  const distinct = new Map(replies.map((it) => [idempotencyId(it), it]));
  return bind(storeIdempotencyKeys, [...distinct.values()], nowMs);
}
