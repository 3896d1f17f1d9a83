import { STATUSES, type AuditCheck } from './audit-check.ts';
import { findCyclicRuns } from './cyclic-runs.ts';

/** The graph of a run, and the counters that are kept of it. */
export const GRAPH_CHECKS: readonly AuditCheck[] = [
  {
    id: 'pending',
    invariant: 'A11',
    words: 'A task waits for as many edges as are not satisfied.',
    sql: `
      select t.id as subject, 'pending is ' || t.pending || ', counted ' || count(d.id) as found
        from tasks t
        left join dependencies d
          on d.downstream_id = t.id
         and d.type <> 'related'
         and not d.satisfied
       where t.status not in ${STATUSES.endedTask}
         and t.run_id not in (select id from runs where status = 'planning')
       group by t.id
      having t.pending <> count(d.id)`,
  },
  {
    id: 'blocked',
    invariant: 'A11',
    words: 'A blocked task has an edge that is not satisfied.',
    sql: `
      select id as subject, 'blocked, and nothing holds it back' as found
        from tasks
       where status = 'blocked'
         and pending = 0
         and run_id not in (select id from runs where status = 'planning')`,
  },
  {
    id: 'edge-satisfied',
    invariant: 'A11',
    words: 'An edge is satisfied exactly when the end of its upstream says so.',
    sql: `
      select d.id as subject, 'edge of an upstream that is ' || u.status || ' is '
               || case when d.satisfied then 'satisfied' else 'not satisfied' end as found
        from dependencies d
        join tasks u
          on u.id = d.upstream_id
        join tasks t
          on t.id = d.downstream_id
       where d.type in ('blocks', 'input')
         and t.status not in ${STATUSES.endedTask}
         and d.satisfied <> case d.rule
               when 'done' then u.status in ${STATUSES.endedTask} or u.out_of_play
               when 'failure' then u.status = 'failed'
               else u.status = 'completed' end`,
  },
  {
    id: 'gate-satisfied',
    invariant: 'A11',
    words: 'A gate is open only behind a task that has ended.',
    sql: `
      select d.id as subject, 'an open gate behind a task that is ' || u.status as found
        from dependencies d
        join tasks u
          on u.id = d.upstream_id
        join tasks t
          on t.id = d.downstream_id
       where d.type = 'gate'
         and d.satisfied
         and t.status not in ${STATUSES.endedTask}
         and u.status not in ${STATUSES.endedTask}
         and not u.out_of_play`,
  },
  {
    id: 'edge-ends',
    invariant: 'A16',
    words: 'Both ends of an edge are tasks of its run.',
    sql: `
      select d.id as subject, 'has a loose end' as found
        from dependencies d
        left join tasks u
          on u.id = d.upstream_id
         and u.run_id = d.run_id
        left join tasks t
          on t.id = d.downstream_id
         and t.run_id = d.run_id
       where u.id is null
          or t.id is null`,
  },
  {
    id: 'acyclic',
    invariant: 'A16',
    words: 'The graph of a run has no cycle.',
    judge: findCyclicRuns,
  },
  {
    id: 'run-counters',
    invariant: 'A17',
    words: 'The counters of a run are what a scan of its tasks counts.',
    sql: `
      select r.id as subject, counter.name || ' is ' || counter.kept || ', counted ' || counter.real
               as found
        from runs r
        left join (select run_id, count(*) as task_count,
                          count(*) filter (where status not in ${STATUSES.endedTask}) as open_tasks,
                          count(*) filter (where out_of_play) as out_of_play,
                          count(*) filter (where status = 'failed'
                                             and verifies is null) as failed_tasks,
                          count(*) filter (where status = 'cancelled'
                                             and verifies is null) as cancelled_tasks
                     from tasks
                    where deleted_at is null
                    group by run_id) as counted
          on counted.run_id = r.id
       cross join lateral (values
             ('task_count', r.task_count, coalesce(counted.task_count, 0)),
             ('open_tasks', r.open_tasks, coalesce(counted.open_tasks, 0)),
             ('out_of_play', r.out_of_play, coalesce(counted.out_of_play, 0)),
             ('failed_tasks', r.failed_tasks, coalesce(counted.failed_tasks, 0)),
             ('cancelled_tasks', r.cancelled_tasks, coalesce(counted.cancelled_tasks, 0)))
          as counter (name, kept, real)
       where counter.kept <> counter.real`,
  },
  {
    id: 'run-active',
    invariant: 'A17',
    words: 'A run counts the tasks that move without a person.',
    sql: `
      select r.id as subject, 'active_tasks is ' || r.active_tasks || ', counted ' || count(t.id)
               as found
        from runs r
        left join tasks t
          on t.run_id = r.id
         and (t.status in ('running', 'verifying')
              or (t.status = 'waiting' and t.reason = 'rate_limited')
              or (t.status = 'ready'
                  and coalesce(t.reason, '') not in ('waiting_for_assignment', 'barrier')))
       group by r.id
      having r.active_tasks <> count(t.id)`,
  },
  {
    id: 'run-people',
    invariant: 'A17',
    words: 'A run counts its open checkpoints.',
    sql: `
      select r.id as subject, 'needs_human is ' || r.needs_human || ', counted ' || count(c.id)
               as found
        from runs r
        left join checkpoints c
          on c.run_id = r.id
         and c.status = 'open'
       group by r.id
      having r.needs_human <> count(c.id)`,
  },
  {
    id: 'run-end',
    invariant: 'A17',
    words: 'A run has an end exactly when its status is an outcome.',
    sql: `
      select id as subject, status || (case when ended_at is null then ' without' else ' with' end)
               || ' an end' as found
        from runs
       where (ended_at is not null) <> (status in ${STATUSES.endedRun})`,
  },
  {
    id: 'ended-run',
    invariant: 'A18',
    words: 'No task is open under a run that has ended.',
    sql: `
      select t.id as subject, t.status || ' under a run that is ' || r.status as found
        from tasks t
        join runs r
          on r.id = t.run_id
       where r.status in ${STATUSES.endedRun}
         and t.status not in ${STATUSES.endedTask}`,
  },
  {
    id: 'run-in-play',
    invariant: 'A18',
    words: 'A run that waits for people still has something in play.',
    sql: `
      select id as subject, 'waiting, and nothing of it is in play' as found
        from runs
       where status = 'waiting'
         and open_tasks = out_of_play`,
  },
  {
    id: 'out-of-play',
    invariant: 'A18',
    words: 'Only a blocked task is out of play, and only behind one that did not end well.',
    sql: `
      select t.id as subject, 'out of play without a reason among its upstreams' as found
        from tasks t
       where t.out_of_play
         and (t.status <> 'blocked'
              or not exists (select 1
                               from dependencies d
                               join tasks u
                                 on u.id = d.upstream_id
                              where d.downstream_id = t.id
                                and d.type <> 'related'
                                and not d.satisfied
                                and (u.out_of_play or u.status in ${STATUSES.endedTask})))`,
  },
];
