-- Stops for a person.

create table checkpoints (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  run_id text collate "C" not null,
  task_id text collate "C",
  attempt_id text collate "C",
  client_id text collate "C",
  kind text collate "C" not null check (kind in
    ('question', 'dispatch_approval', 'plan_approval', 'permission', 'review')),
  question text not null,
  context json not null,
  options json not null,
  freeform boolean not null,
  default_option text,
  timeout_at timestamptz,
  on_timeout text collate "C" not null
    check (on_timeout in ('use_default', 'fail', 'keep_waiting')),
  answer_by text collate "C" not null check (answer_by in ('human', 'any')),
  resume text collate "C" not null check (resume in ('live', 'held', 'new_attempt')),
  facts_sha256 text collate "C",
  status text collate "C" not null
    check (status in ('open', 'resolved', 'timed_out', 'cancelled', 'superseded')),
  resolution json,
  opened_by text not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  constraint checkpoints_end check ((closed_at is null) = (status = 'open')),
  constraint checkpoints_decision check (status <> 'resolved' or resolution is not null)
);
create index checkpoints_page on checkpoints (project_id, opened_at, id);
create index checkpoints_of_run on checkpoints (run_id, opened_at, id);
create index checkpoints_open on checkpoints (project_id) where status = 'open';
create index checkpoints_open_of_task on checkpoints (task_id) where status = 'open';
create index checkpoints_of_attempt on checkpoints (attempt_id) where attempt_id is not null;
create unique index checkpoints_of_client on checkpoints (attempt_id, client_id)
  where attempt_id is not null and client_id is not null;
