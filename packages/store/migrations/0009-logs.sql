-- Output of attempts, in the pieces in which it came.

-- One row an attempt: it serialises appending, so that `seq` is dense and in the order of commits.
-- `offsets` holds the next offset of each stream; `prev_offset` and `seen_offset` are those of the
-- latest append, before and after it.
create table log_heads (
  attempt_id text collate "C" primary key,
  seq bigint not null,
  offsets jsonb not null,
  prev_offset bigint not null,
  seen_offset bigint not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

create table log_chunks (
  attempt_id text collate "C" not null,
  stream text collate "C" not null check (stream in ('stdout', 'stderr', 'agent', 'system')),
  start_offset bigint not null check (start_offset >= 0),
  seq bigint not null check (seq >= 1),
  run_id text collate "C" not null,
  at timestamptz not null,
  data bytea not null check (octet_length(data) > 0),
  primary key (attempt_id, stream, start_offset)
);
create unique index log_chunks_in_order on log_chunks (attempt_id, seq);
create index log_chunks_of_run on log_chunks (run_id, at, attempt_id, seq);
