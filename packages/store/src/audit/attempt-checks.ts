import { STATUSES, type AuditCheck } from './audit-check.ts';

/** Fencing: who holds a task, under which epoch. */
export const ATTEMPT_CHECKS: readonly AuditCheck[] = [
  {
    id: 'one-live-attempt',
    invariant: 'A1',
    words: 'A task has at most one live attempt.',
    sql: `
      select task_id as subject, count(*) || ' live attempts' as found
        from attempts
       where ended_at is null
         and status <> 'stopping'
       group by task_id
      having count(*) > 1`,
  },
  {
    id: 'epoch-once',
    invariant: 'A2',
    words: 'An epoch of a task is given once.',
    sql: `
      select task_id as subject, 'epoch ' || epoch || ' was given ' || count(*) || ' times' as found
        from attempts
       group by task_id, epoch
      having count(*) > 1`,
  },
  {
    id: 'attempt-end',
    invariant: 'A5',
    words: 'An attempt has an end exactly when its status is an outcome.',
    sql: `
      select id as subject, status || (case when ended_at is null then ' without' else ' with' end)
               || ' an end' as found
        from attempts
       where (ended_at is null) <> (status in ${STATUSES.openAttempt})`,
  },
  {
    id: 'task-epoch',
    invariant: 'A6',
    words: "A task's epoch is the greatest of its attempts.",
    sql: `
      select t.id as subject, 'epoch ' || t.epoch || ', attempts have ' || coalesce(newest.epoch, 0)
               as found
        from tasks t
        left join (select task_id, max(epoch) as epoch from attempts group by task_id) as newest
          on newest.task_id = t.id
       where t.epoch <> coalesce(newest.epoch, 0)`,
  },
  {
    id: 'running-attempt',
    invariant: 'A6',
    words: 'A task is running exactly when one attempt of it is claimed or running.',
    sql: `
      select t.id as subject, t.status || ' with ' || coalesce(working.n, 0) || ' attempts at work'
               as found
        from tasks t
        left join (select task_id, count(*) as n
                     from attempts
                    where ended_at is null
                      and status in ('claimed', 'running')
                    group by task_id) as working
          on working.task_id = t.id
       where (t.status = 'running') <> (coalesce(working.n, 0) = 1)`,
  },
  {
    id: 'parked-attempt',
    invariant: 'A6',
    words: 'A parked attempt belongs to a task that waits.',
    sql: `
      select a.id as subject, 'parked, and its task is ' || coalesce(t.status, 'gone') as found
        from attempts a
        left join tasks t
          on t.id = a.task_id
       where a.ended_at is null
         and a.status = 'parked'
         and (t.status is null
              or (t.status <> 'waiting' and t.paused_from is distinct from 'waiting'))`,
  },
  {
    id: 'task-attempt',
    invariant: 'A6',
    words: 'The attempts that a task names are its own, and the one whose result stands has ended.',
    sql: `
      select t.id as subject, 'names the attempt ' || named.id || ', which is '
               || case when a.id is null then 'not there'
                       when a.task_id <> t.id then 'of another task'
                       else a.status end as found
        from tasks t
       cross join lateral (values (t.attempt_id, false), (t.result_attempt_id, true))
          as named (id, is_result)
        left join attempts a
          on a.id = named.id
       where named.id is not null
         and (a.id is null
              or a.task_id <> t.id
              or (named.is_result and a.ended_at is null))`,
  },
];
