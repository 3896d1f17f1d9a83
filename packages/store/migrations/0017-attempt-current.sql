-- The status of an attempt leaves its indexes: starting it becomes a HOT update. Which attempt holds its
-- task is a column of its own, that changes when the attempt ends or is being stopped.
-- Rows are packed more loosely, so that the changes of a short life stay on their page.

alter table attempts
  add column is_current boolean not null
    generated always as (ended_at is null and status <> 'stopping') stored;
drop index attempts_one_open;
create unique index attempts_one_open on attempts (task_id) where is_current;

alter table attempts set (fillfactor = 50);
alter table tasks set (fillfactor = 50);
