-- The history: events numbered in commit order by one counter row, and who reads them how far.

create table meta (
  key text collate "C" primary key,
  value jsonb not null
);

-- One row. Updating it is the last thing a transaction does before COMMIT: whoever comes second waits
-- for the first one's commit, so that the order of positions is the order of commits and has no gaps.
create table feed (
  id smallint primary key check (id = 1),
  next_pos bigint not null check (next_pos >= 1),
  incarnation bigint not null check (incarnation >= 1),
  last_at timestamptz not null
) with (fillfactor = 10);

insert into feed (id, next_pos, incarnation, last_at) values (1, 1, 1, 'epoch');

create table events (
  pos bigint primary key,
  project_id text collate "C" not null,
  run_id text collate "C",
  run_seq bigint,
  task_id text collate "C",
  attempt_id text collate "C",
  type text collate "C" not null,
  actor json not null,
  cause text collate "C",
  at timestamptz not null,
  data json not null,
  check ((run_id is null) = (run_seq is null))
);
create unique index events_of_run on events (run_id, run_seq) where run_id is not null;
create index events_of_task on events (task_id, pos) where task_id is not null;

create table consumers (
  name text collate "C" primary key,
  incarnation bigint not null,
  pos bigint not null,
  updated_at timestamptz not null
) with (fillfactor = 50);
