-- A worker that is about to end says so: it finishes what it has and gets nothing new. Apart from
-- `draining`, which people set and which outlives a restart of the worker.

alter table workers
  add column leaving boolean not null default false;
