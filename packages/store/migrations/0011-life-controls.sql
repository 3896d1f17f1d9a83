-- Reviews that shut gates, clean starts, results that came too late, and what was deleted: hidden at
-- once, taken away step by step once it is to be purged.

alter table tasks
  add column rejected boolean not null default false,
  add column fresh_generation integer not null default 1,
  add column deleted_at timestamptz,
  add column purge_at timestamptz;

alter table runs
  add column deleted_at timestamptz,
  add column purge_at timestamptz;

alter table attempts
  add column orphan_result json;

create index tasks_to_purge on tasks (purge_at, id) where purge_at is not null;
create index runs_to_purge on runs (purge_at, id) where purge_at is not null;

-- Whether anything still refers to a file's content.
create index artifacts_by_content on artifacts (project_id, sha256);

-- What is purged for good leaves its id for a while, so that purging it again is answered as done.
create table purged_ids (
  project_id text collate "C" not null,
  id text collate "C" not null,
  purged_at timestamptz not null,
  primary key (project_id, id)
);
create index purged_ids_age on purged_ids (purged_at);
