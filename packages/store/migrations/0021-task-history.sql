-- The history of a task is read through that of its run: an index less to keep on every event.

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
  execute format('alter table %I add constraint %I check (period = %s)',
                 part, part || '_period', wanted);
  execute format('alter table events attach partition %I for values in (%s)', part, wanted);
end
$$;

do $$
declare
  part text;
begin
  for part in select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass loop
    execute format('drop index if exists %I', part || '_of_task');
  end loop;
end
$$;
