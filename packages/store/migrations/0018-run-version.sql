-- Counts the batches that changed anything of a run: its row, its tasks, their attempts and so on. Who
-- holds the run's lock and remembers this number from before knows that what it read then still stands.

alter table runs
  add column version bigint not null default 0;
