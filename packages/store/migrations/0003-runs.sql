-- What was asked for, and how far it is. Columns that change often are in no index (HOT updates);
-- what never changes is kept apart (task_specs). No foreign keys here: the kernel keeps integrity.
-- Documents are json where nobody looks inside with SQL (it keeps them to the letter), else jsonb.

create table runs (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  goal text not null,
  status text collate "C" not null check (status in
    ('planning', 'running', 'waiting', 'paused', 'cancelling', 'completed', 'failed', 'cancelled')),
  reason text,
  planning text collate "C" not null check (planning in ('idle', 'active')),
  source text collate "C" not null,
  input json not null,
  labels jsonb not null,
  policy json not null,
  budgets json,
  deliver text collate "C" not null
    check (deliver in ('branch', 'merge', 'pull_request', 'none')),
  delivery json not null,
  delivery_order json,
  delivery_worker_id text collate "C",
  bases json not null,
  plan_version integer not null,
  seq bigint not null check (seq >= 0),
  task_count integer not null check (task_count >= 0),
  open_tasks integer not null check (open_tasks between 0 and task_count),
  out_of_play integer not null check (out_of_play between 0 and open_tasks),
  active_tasks integer not null check (active_tasks between 0 and open_tasks),
  failed_tasks integer not null check (failed_tasks >= 0),
  cancelled_tasks integer not null check (cancelled_tasks >= 0),
  needs_human integer not null check (needs_human >= 0),
  usd_micros bigint not null check (usd_micros >= 0),
  lineage_root text collate "C" not null,
  rerun_of text collate "C",
  origin text collate "C",
  created_by text not null,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  updated_at timestamptz not null,
  constraint runs_end check
    ((ended_at is not null) = (status in ('completed', 'failed', 'cancelled')))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
create index runs_page on runs (project_id, created_at, id);
create index runs_delivering on runs (delivery_worker_id) where delivery_worker_id is not null;

create table tasks (
  id text collate "C" primary key,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  key text collate "C" not null,
  position integer not null,
  kind text collate "C" not null
    check (kind in ('agent', 'command', 'plan', 'verify', 'integrate', 'join', 'human')),
  status text collate "C" not null check (status in
    ('blocked', 'awaiting_approval', 'ready', 'running', 'waiting', 'verifying', 'paused',
     'completed', 'failed', 'cancelled', 'skipped', 'superseded')),
  reason text,
  paused_from text collate "C",
  generation integer not null check (generation >= 1),
  epoch bigint not null check (epoch >= 0),
  plan_version integer not null,
  pending integer not null check (pending >= 0),
  out_of_play boolean not null,
  approved boolean not null,
  attempt_count integer not null check (attempt_count >= 0),
  free_retries integer not null check (free_retries >= 0),
  attempt_id text collate "C",
  result_attempt_id text collate "C",
  worker_id text collate "C",
  assigned_worker text collate "C",
  needs_id text collate "C" not null,
  priority smallint not null check (priority between 0 and 3),
  checkpoint_id text collate "C",
  progress json,
  outdated boolean not null,
  failure_class text collate "C",
  feedback text,
  retry_at timestamptz,
  usd_micros bigint not null check (usd_micros >= 0),
  created_at timestamptz not null,
  ready_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  updated_at timestamptz not null,
  constraint tasks_running_attempt check (status <> 'running' or attempt_id is not null),
  constraint tasks_out_of_play check (not out_of_play or status = 'blocked'),
  constraint tasks_paused_from check ((paused_from is not null) = (status = 'paused')),
  constraint tasks_end check ((ended_at is not null) =
    (status in ('completed', 'failed', 'cancelled', 'skipped', 'superseded')))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
create index tasks_of_run on tasks (run_id, position, id);
create index tasks_page on tasks (project_id, created_at, id);

create table task_specs (
  task_id text collate "C" primary key,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  title text not null,
  spec json not null,
  review json not null,
  parent_task_id text collate "C",
  rerun_of text collate "C",
  origin text collate "C"
);
create index task_specs_of_run on task_specs (run_id);
create index task_specs_of_parent on task_specs (parent_task_id) where parent_task_id is not null;
create index task_specs_of_origin on task_specs (project_id, origin) where origin is not null;

create table dependencies (
  id text collate "C" primary key,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  upstream_id text collate "C" not null,
  downstream_id text collate "C" not null,
  type text collate "C" not null check (type in ('blocks', 'input', 'gate', 'related')),
  contract_key text collate "C",
  input_name text collate "C",
  rule text collate "C" not null check (rule in ('success', 'done', 'failure')),
  satisfied boolean not null,
  plan_version integer not null,
  constraint dependencies_no_self_edge check (upstream_id <> downstream_id),
  constraint dependencies_input_contract check (type <> 'input' or contract_key is not null)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
create index dependencies_of_run on dependencies (run_id);
create index dependencies_out on dependencies (upstream_id);
create index dependencies_in on dependencies (downstream_id);
