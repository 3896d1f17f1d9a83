import type { LogStream } from '@baton/contract';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { toTimestamptz } from '../parameters.ts';
import { statement } from '../statement.ts';

/** A piece of an attempt's output. `worker` is null when an attempt token spoke. */
export interface LogPiece {
  readonly attempt: string;
  readonly worker: string | null;
  readonly epoch: number;
  readonly stream: LogStream;
  /** Of the first byte, counted from the start of the stream. */
  readonly offset: number;
  readonly data: Uint8Array;
}

/**
 * What became of a piece: `appended` (at least its end was new), `known` (all of it was there),
 * `gap` (it begins behind `nextOffset`; nothing was stored), `stale` (the attempt takes nothing under
 * this epoch) or `not_found` (no such attempt of this worker). `nextOffset` is what to send next.
 */
export type LogOutcome =
  | { readonly kind: 'appended' | 'known' | 'gap'; readonly nextOffset: number }
  | { readonly kind: 'stale' }
  | { readonly kind: 'not_found' };

/**
 * Appends what of a piece is new. The row of `log_heads` is locked from the first look to the end of
 * the statement, so pieces of an attempt are stored one after the other, whoever sends them.
 */
export const appendLog = statement({
  name: 'appendLog',
  args: (piece: LogPiece) => [
    piece.attempt,
    piece.epoch,
    piece.stream,
    piece.offset,
    piece.data,
    piece.worker,
  ],
  row: z.strictObject({
    is_open: z.boolean(),
    prev_offset: z.int().nullable(),
    seen_offset: z.int().nullable(),
  }),
  sql: `
    with fence as (
      select a.id, a.run_id, a.epoch = $2::bigint and a.ended_at is null as is_open,
             $4::bigint + octet_length($5::bytea) as end_offset
        from attempts a
       where a.id = $1
         and ($6::text is null or a.worker_id = $6)),
    head as (
      insert into log_heads as h (attempt_id, seq, offsets, prev_offset, seen_offset)
      select f.id,
             case when $4 = 0 and f.end_offset > 0 then 1 else 0 end,
             case when $4 = 0 then jsonb_build_object($3::text, f.end_offset) else '{}' end,
             0,
             case when $4 = 0 then f.end_offset else 0 end
        from fence f
       where f.is_open
          on conflict (attempt_id) do update
         set (seq, offsets, prev_offset, seen_offset) = (
             select case when now.grows then h.seq + 1 else h.seq end,
                    case when now.grows then h.offsets || excluded_end.as_object
                         else h.offsets end,
                    now.next_offset,
                    case when now.grows then excluded_end.at else now.next_offset end
               from (select $4::bigint + octet_length($5::bytea) as at,
                            jsonb_build_object($3::text, $4::bigint + octet_length($5::bytea))
                              as as_object) as excluded_end
              cross join lateral
                    (select coalesce((h.offsets ->> $3)::bigint, 0) as next_offset,
                            $4 <= coalesce((h.offsets ->> $3)::bigint, 0)
                              and excluded_end.at > coalesce((h.offsets ->> $3)::bigint, 0)
                              as grows) as now)
      returning seq, prev_offset, seen_offset),
    chunk as (
      insert into log_chunks (attempt_id, stream, start_offset, seq, run_id, at, data)
      select f.id, $3, h.prev_offset, h.seq, f.run_id,
             date_trunc('milliseconds', clock_timestamp()),
             substring($5::bytea from (h.prev_offset - $4 + 1)::integer)
        from fence f
       cross join head h
       where h.seen_offset > h.prev_offset)
    select f.is_open, h.prev_offset, h.seen_offset
      from fence f
      left join head h
        on true`,
});

/** Stores a piece of output; sending the same again is harmless. */
export async function appendLogChunk(queries: Asker, piece: LogPiece): Promise<LogOutcome> {
  const [row] = await queries.query(appendLog, piece);
  if (row === undefined) return { kind: 'not_found' };
  if (row.prev_offset === null || row.seen_offset === null) return { kind: 'stale' };
  const nextOffset = row.seen_offset;
  if (piece.offset > row.prev_offset) return { kind: 'gap', nextOffset };
  return { kind: row.seen_offset > row.prev_offset ? 'appended' : 'known', nextOffset };
}

/** A stored piece; `seq` is dense in its attempt and tells the order in which pieces came. */
export interface LogRead {
  readonly attemptId: string;
  readonly seq: number;
  readonly stream: LogStream;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly atMs: number;
}

/** Place in the logs of a run. */
export interface RunLogKey {
  readonly atMs: number;
  readonly attemptId: string;
  readonly seq: number;
}

/** Bytes of a page of logs at most, so that a page of large pieces stays small; at least one piece. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

const logRow = z.strictObject({
  attemptId: z.string(),
  seq: z.int(),
  stream: z.custom<LogStream>(),
  offset: z.int(),
  data: z.custom<Uint8Array>((it) => it instanceof Uint8Array),
  atMs: z.int(),
});

const LOG_COLUMNS = `c.attempt_id as "attemptId", c.seq, c.stream, c.start_offset as "offset", c.data,
           c.at as "atMs"`;

export const logsOfAttemptPage = statement({
  name: 'logsOfAttempt',
  args: (attempt: string, stream: string | null, afterSeq: number, limit: number) => [
    attempt,
    stream,
    afterSeq,
    limit,
    PAGE_BYTES_MAX,
  ],
  row: logRow,
  sql: `
    select ${LOG_COLUMNS}
      from (select p.attempt_id, p.seq, p.stream, p.start_offset, p.data, p.at,
                   sum(octet_length(p.data)) over (order by p.seq) - octet_length(p.data) as before
              from (select attempt_id, seq, stream, start_offset, data, at
                      from log_chunks
                     where attempt_id = $1
                       and seq > $3
                       and ($2::text is null or stream = $2)
                     order by seq
                     limit $4) as p) as c
     where c.before < $5
     order by c.seq`,
});

export const logsOfRunPage = statement({
  name: 'logsOfRun',
  args: (run: string, stream: string | null, after: RunLogKey | null, limit: number) => [
    run,
    stream,
    toTimestamptz(after?.atMs ?? -Infinity),
    after?.attemptId ?? '',
    after?.seq ?? 0,
    limit,
    PAGE_BYTES_MAX,
  ],
  row: logRow,
  sql: `
    select ${LOG_COLUMNS}
      from (select p.attempt_id, p.seq, p.stream, p.start_offset, p.data, p.at,
                   sum(octet_length(p.data)) over (order by p.at, p.attempt_id, p.seq)
                     - octet_length(p.data) as before
              from (select attempt_id, seq, stream, start_offset, data, at
                      from log_chunks
                     where run_id = $1
                       and (at, attempt_id, seq) > ($3::timestamptz, $4, $5::bigint)
                       and ($2::text is null or stream = $2)
                     order by at, attempt_id, seq
                     limit $6) as p) as c
     where c.before < $7
     order by c.at, c.attempt_id, c.seq`,
});
