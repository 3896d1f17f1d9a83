-- Executions of tasks, and what they leave behind. An attempt holds a slot while `ended_at` is null;
-- beats move `lease_until`, which is in no index.

create table attempts (
  id text collate "C" primary key,
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  number integer not null check (number >= 1),
  generation integer not null check (generation >= 1),
  epoch bigint not null check (epoch >= 1),
  worker_id text collate "C" not null,
  engine text collate "C" not null,
  status text collate "C" not null check (status in
    ('claimed', 'running', 'parked', 'stopping',
     'succeeded', 'failed', 'lost', 'timed_out', 'cancelled', 'released')),
  failure_class text collate "C",
  reason text,
  conversation text,
  prompt_sha256 text collate "C",
  manifest json not null,
  manifest_sha256 text collate "C" not null,
  usage json,
  exit_code integer,
  result json,
  report_sha256 text collate "C",
  lease_seconds integer not null check (lease_seconds >= 1),
  lease_until timestamptz not null,
  missed_beats integer not null check (missed_beats >= 0),
  claimed_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  constraint attempts_end check
    ((ended_at is null) = (status in ('claimed', 'running', 'parked', 'stopping')))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
-- An epoch is given once; a second attempt under it would mean two workers at one task.
create unique index attempts_of_task on attempts (task_id, epoch);
create unique index attempts_one_open on attempts (task_id)
  where ended_at is null and status <> 'stopping';
create index attempts_open_of_worker on attempts (worker_id) where ended_at is null;
create index attempts_open_of_run on attempts (run_id) where ended_at is null;

create table outputs (
  id text collate "C" primary key,
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  attempt_id text collate "C" not null,
  generation integer not null,
  key text collate "C" not null,
  type text collate "C" not null,
  data json not null,
  sha256 text collate "C" not null,
  fulfilled_at timestamptz not null
);
create index outputs_of_task on outputs (task_id, generation, key);

create table artifacts (
  id text collate "C" primary key,
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  attempt_id text collate "C" not null,
  name text not null,
  kind text collate "C" not null,
  media_type text not null,
  size bigint not null check (size >= 0),
  sha256 text collate "C" not null,
  meta json not null,
  created_at timestamptz not null
);
create index artifacts_of_task on artifacts (task_id, created_at, id);
create index artifacts_of_run on artifacts (run_id, created_at, id);

create table notes (
  id text collate "C" primary key,
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  author text not null,
  text text not null,
  urgent boolean not null,
  created_at timestamptz not null
);
create index notes_of_task on notes (task_id, created_at, id);
