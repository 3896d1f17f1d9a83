-- What agents were refused is counted by an index in every part of the history, not in the first alone.

create or replace function create_event_period(wanted integer) returns void
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
  perform index_event_delegation(part);
  execute format('alter table %I add constraint %I check (period = %s)',
                 part, part || '_period', wanted);
  execute format('alter table events attach partition %I for values in (%s)', part, wanted);
end
$$;

create function index_event_delegation(part text) returns void
language plpgsql as $$
begin
  execute format('create index if not exists %I on %I (project_id, type) where type in
                   (''task.spawn_refused'', ''task.respawn_refused'', ''task.respawn_forced'',
                    ''task.breaker_tripped'')', part || '_of_delegation', part);
end
$$;

alter index if exists events_of_delegation rename to events_1_of_delegation;

do $$
declare
  part text;
begin
  for part in select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass loop
    perform index_event_delegation(part);
  end loop;
end
$$;
