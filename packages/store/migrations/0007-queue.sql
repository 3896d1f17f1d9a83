-- Work to hand out and instants to wait for. Rows of `ready` and `timers` are inserted and deleted,
-- never updated.

create table needs (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  needs json not null
);
create index needs_of_project on needs (project_id);

create table ready (
  task_id text collate "C" primary key,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  needs_id text collate "C" not null,
  priority smallint not null check (priority between 0 and 3),
  pass double precision not null,
  seq bigint not null,
  held text collate "C"
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
create index ready_heads on ready (project_id, needs_id, priority, pass, seq) where held is null;

create table timers (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  run_id text collate "C" not null,
  task_id text collate "C",
  attempt_id text collate "C",
  checkpoint_id text collate "C",
  kind text collate "C" not null check (kind in
    ('retry_backoff', 'checkpoint_deadline', 'queue_timeout', 'start_timeout', 'run_timeout',
     'approval_timeout', 'stopping_deadline', 'delivery_deadline')),
  guard bigint not null,
  due_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
create index timers_due on timers (due_at, id);
create index timers_of_run on timers (run_id);
create index timers_of_task on timers (task_id) where task_id is not null;
