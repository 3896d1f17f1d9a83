-- Checks of results before they count: where the check of a task's newest result stands, and what a
-- task that was made for checking checks; large submissions, which are written in steps.

alter table tasks
  add column verification json,
  add column verifies json;

-- A piece of a plan that is not written into the graph yet; gone when it is. `tasks` and `edges` have
-- their ids already, so that a step that is done again after a crash does the same.
create table plan_parts (
  id text collate "C" primary key,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  part integer not null check (part >= 0),
  tasks json not null,
  edges json not null
);
create index plan_parts_of_run on plan_parts (run_id);
