-- Who may start now: limits of keys with their places, providers' limits, budgets, and turns of runs.
-- Counters here are changed under a condition on what was read, so that two batches never both win.

create table limits (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  key text collate "C" not null,
  max_running integer check (max_running >= 0),
  rate_per_minute double precision check (rate_per_minute > 0),
  burst integer not null check (burst >= 1),
  tat double precision not null,
  updated_at timestamptz not null,
  constraint limits_some check (max_running is not null or rate_per_minute is not null)
) with (fillfactor = 70);
create index limits_of_project on limits (project_id, key);

-- As many places as may run at a time. A claim takes a free one that nobody else is taking: no counting.
create table limit_slots (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  limit_id text collate "C" not null,
  no integer not null check (no >= 1),
  attempt_id text collate "C" not null,
  task_id text collate "C" not null,
  surplus boolean not null,
  constraint limit_slots_surplus check (not surplus or attempt_id <> '')
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
create index limit_slots_free on limit_slots (limit_id, no) where attempt_id = '' and not surplus;
create index limit_slots_surplus on limit_slots (limit_id, no) where surplus;
create index limit_slots_held on limit_slots (limit_id, no) where attempt_id <> '';

create table parkings (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  engine text collate "C" not null,
  account text,
  worker_id text collate "C" not null,
  until timestamptz not null,
  reason text not null
);
create index parkings_of_project on parkings (project_id);

create table budgets (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  scope text collate "C" not null check (scope in ('project', 'run', 'task')),
  run_id text collate "C",
  limit_micros bigint not null check (limit_micros >= 0),
  spent_micros bigint not null check (spent_micros >= 0),
  reserved_micros bigint not null check (reserved_micros >= 0),
  reserve_micros bigint not null check (reserve_micros >= 0),
  warned boolean not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
create index budgets_of_run on budgets (run_id) where run_id is not null;

alter table runs
  add column pass double precision not null default 0;

alter table attempts
  add column holds json;

create index ready_unfunded on ready (run_id) where held = 'budget';

-- A column of its own, so that an index on it leaves other changes of a run's status HOT.
alter table runs
  add column is_unfunded boolean not null
    generated always as (status = 'paused' and reason is not distinct from 'budget') stored;
create index runs_unfunded on runs (project_id) where is_unfunded;
