-- Agents that hand work on: where a task stands below others and how often its work failed, what an
-- agent waits for, and the ledger of what agents did.

alter table task_specs
  add column depth integer not null default 0 check (depth >= 0),
  add column chain text collate "C",
  add column failures_in_row integer not null default 0 check (failures_in_row >= 0),
  add column wakes integer not null default 0 check (wakes >= 0);

alter table runs
  add column open_awaits integer not null default 0 check (open_awaits >= 0);

create table awaits (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  run_id text collate "C" not null,
  task_id text collate "C" not null,
  attempt_id text collate "C" not null,
  generation integer not null check (generation >= 1),
  tasks json not null,
  crosses_runs boolean not null,
  policy text collate "C" not null check (policy in ('all', 'any', 'quorum')),
  quorum integer,
  needed integer not null check (needed >= 1),
  status text collate "C" not null
    check (status in ('open', 'met', 'expired', 'cancelled', 'replaced')),
  settled boolean not null,
  partial boolean not null,
  results json not null,
  deadline_at timestamptz not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  constraint awaits_end check ((closed_at is null) = (status = 'open')),
  constraint awaits_settled check (not settled or status <> 'open'),
  constraint awaits_quorum check ((quorum is not null) = (policy = 'quorum'))
);
create index awaits_of_task on awaits (task_id, opened_at, id);
create unique index awaits_one_open on awaits (task_id) where status = 'open';
create index awaits_of_run on awaits (run_id) where not settled;
create index awaits_across_runs on awaits (id) where crosses_runs and status = 'open';

create table actions (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  run_id text collate "C" not null,
  task_id text collate "C" not null,
  attempt_id text collate "C" not null,
  call text not null,
  kind text collate "C" not null check (kind in
    ('tool_call', 'env_acquire', 'env_hold', 'env_snapshot', 'env_release')),
  name text not null,
  target text not null,
  effect text collate "C" not null check (effect in
    ('local_read', 'local_write', 'external_read', 'external_write', 'external_irreversible')),
  status text collate "C" not null check (status in ('started', 'succeeded', 'failed')),
  input_sha256 text collate "C",
  refs json not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  constraint actions_end check ((ended_at is null) = (status = 'started'))
);
create index actions_of_task on actions (task_id, started_at, id);
create index actions_of_run on actions (run_id);

-- What /stats reads of attempts: those of the last hours. Blocks of a table that only grows are found
-- by their range of times; claims pay next to nothing for it.
create index attempts_by_time on attempts using brin (claimed_at);
create index events_of_delegation on events (project_id, type) where type in
  ('task.spawn_refused', 'task.respawn_refused', 'task.respawn_forced', 'task.breaker_tripped');
