-- The history in parts, one a stretch of time (about a day), so that old parts go as a whole. `feed` says
-- which one is written now: it is turned over under the counter row's lock, so every position of a part
-- is before every position of the next. The rows that are there become the first part.

alter table feed
  add column period integer not null default 1 check (period >= 1);

create table event_periods (
  period integer primary key check (period >= 1),
  first_pos bigint not null,
  began_at timestamptz not null
);

insert into event_periods (period, first_pos, began_at)
select 1, coalesce(min(pos), 1), coalesce(min(at), clock_timestamp())
  from events;

-- For writers of the version before, which do not name the part. Volatile: it must see the counter row
-- as it is now, not as it was when the statement began.
create function current_event_period() returns integer
language sql volatile as $$
  select period from feed where id = 1
$$;

alter table events rename to events_1;
alter index events_pkey rename to events_1_pkey;
alter index events_of_run rename to events_1_of_run;
alter index events_of_task rename to events_1_of_task;
alter table events_1
  add column period integer not null default 1;

create table events (like events_1 including constraints)
  partition by list (period);
alter table events
  alter column period set default current_event_period();
alter table events_1
  add constraint events_1_period check (period = 1);
alter table events
  attach partition events_1 for values in (1);

-- Makes the table of a part, empty; does nothing when it is there. Attaching it holds up nobody.
create function create_event_period(wanted integer) returns void
language plpgsql as $$
declare
  part text := 'events_' || wanted;
begin
  if to_regclass(part) is not null then
    return;
  end if;
  execute format('create table %I (like events including constraints)', part);
  execute format('alter table %I add primary key (pos)', part);
  execute format('create unique index %I on %I (run_id, run_seq) where run_id is not null',
                 part || '_of_run', part);
  execute format('create index %I on %I (task_id, pos) where task_id is not null',
                 part || '_of_task', part);
  execute format('alter table %I add constraint %I check (period = %s)',
                 part, part || '_period', wanted);
  execute format('alter table events attach partition %I for values in (%s)', part, wanted);
end
$$;
