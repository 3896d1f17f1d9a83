-- Work that is stopped and gone on with later: which attempt a task's next one continues, what its
-- agent is told then, whether a parked attempt's process is kept (`live`) or only its place (`held`);
-- the plan that a task's agent handed in; and the checkpoint that holds a whole run.

alter table tasks
  add column continue_attempt_id text collate "C",
  add column wake json;

alter table task_specs
  add column plan json;

alter table attempts
  add column park_mode text collate "C" check (park_mode in ('live', 'held'));

update attempts
   set park_mode = 'live'
 where status = 'parked';

alter table runs
  add column barrier_id text collate "C";

-- The kinds of timers are the kernel's own list (TIMER_KINDS), which grows with each release.
alter table timers drop constraint timers_kind_check;
