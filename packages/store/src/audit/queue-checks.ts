import { STATUSES, type AuditCheck } from './audit-check.ts';

/** Rows that exist for a purpose and go with it: the queue, timers, questions, keys. */
export const QUEUE_CHECKS: readonly AuditCheck[] = [
  {
    id: 'ready-row',
    invariant: 'A12',
    words: 'A task is in the queue exactly when it is ready.',
    sql: `
      select coalesce(t.id, q.task_id) as subject,
             coalesce(t.status, 'gone') || case when q.task_id is null then ' and not' else ' and' end
               || ' in the queue' as found
        from tasks t
        full join ready q
          on q.task_id = t.id
       where (coalesce(t.status, '') = 'ready') <> (q.task_id is not null)`,
  },
  {
    id: 'ready-same',
    invariant: 'A12',
    words: 'The row in the queue says of its task what the task says.',
    sql: `
      select t.id as subject, 'queued for ' || q.needs_id || ' of ' || q.run_id || ', held for '
               || coalesce(q.held, 'nothing') as found
        from ready q
        join tasks t
          on t.id = q.task_id
       where q.needs_id <> t.needs_id
          or q.run_id <> t.run_id
          or q.project_id <> t.project_id
          or q.held is distinct from t.reason`,
  },
  {
    id: 'needs-row',
    invariant: 'A12',
    words: 'What a queued task needs is on record.',
    sql: `
      select q.task_id as subject, 'needs ' || q.needs_id || ', which is not there' as found
        from ready q
        left join needs n
          on n.id = q.needs_id
       where n.id is null`,
  },
  {
    id: 'open-await',
    invariant: 'A31',
    words:
      'A task that waits for others has one open await with a deadline; no other task has one.',
    sql: `
      select coalesce(t.id, a.task_id) as subject,
             coalesce(t.status, 'gone') || ' with the await ' || coalesce(a.id, 'none')
               || case when d.id is null then ' and no deadline' else '' end as found
        from (select id, status from tasks where status = 'waiting' and reason = 'await') as t
        full join (select o.id, o.task_id
                     from awaits o
                     join tasks own
                       on own.id = o.task_id
                      and own.status <> 'paused'
                    where o.status = 'open') as a
          on a.task_id = t.id
        left join timers d
          on d.task_id = a.task_id
         and d.kind = 'await_deadline'
       where t.id is null
          or a.id is null
          or d.id is null`,
  },
  {
    id: 'counted-awaits',
    invariant: 'A31',
    words: 'A run counts the awaits in it that are open or not taken up.',
    sql: `
      select r.id as subject, r.open_awaits || ' counted, ' || count(a.id) || ' there' as found
        from runs r
        left join awaits a
          on a.run_id = r.id
         and not a.settled
       group by r.id, r.open_awaits
      having r.open_awaits <> count(a.id)`,
  },
  {
    id: 'open-checkpoint',
    invariant: 'A30',
    words: 'A task has the open checkpoint that it names, and no other.',
    sql: `
      select coalesce(t.id, c.id) as subject,
             'names the checkpoint ' || coalesce(t.checkpoint_id, 'none') || ', open is '
               || coalesce(c.id, 'none') as found
        from tasks t
        full join (select id, task_id
                     from checkpoints
                    where status = 'open'
                      and task_id is not null) as c
          on c.task_id = t.id
       where t.checkpoint_id is distinct from c.id`,
  },
  {
    id: 'closed-checkpoint',
    invariant: 'A30',
    words: 'A checkpoint that was resolved has one decision, an open one has none.',
    sql: `
      select id as subject, status || case when resolution is null then ' without' else ' with' end
               || ' a decision' as found
        from checkpoints
       where (status = 'resolved' and resolution is null)
          or (status = 'open' and resolution is not null)
          or (closed_at is null) <> (status = 'open')`,
  },
  {
    id: 'timer-purpose',
    invariant: 'A47',
    words: 'A timer waits for something that may still happen.',
    sql: `
      select m.id as subject, m.kind || ' of ' || coalesce(m.task_id, m.run_id)
               || ' waits for nothing' as found
        from timers m
        left join runs r
          on r.id = m.run_id
        left join tasks t
          on t.id = m.task_id
        left join attempts a
          on a.id = m.attempt_id
        left join checkpoints c
          on c.id = m.checkpoint_id
       where r.id is null
          or (m.task_id is not null and t.id is null)
          or (m.attempt_id is not null and (a.id is null or a.ended_at is not null))
          or (m.checkpoint_id is not null and (c.id is null or c.status <> 'open'))
          or (m.kind in ('retry_backoff', 'queue_timeout') and t.status in ${STATUSES.endedTask})
          or (m.kind = 'start_timeout' and a.status <> 'claimed')
          or (m.kind = 'stopping_deadline' and a.status <> 'stopping')`,
  },
  {
    id: 'stopping-deadline',
    invariant: 'A47',
    words: 'An attempt that is stopping is closed at a deadline.',
    sql: `
      select a.id as subject, 'is stopping without a deadline' as found
        from attempts a
        left join timers m
          on m.attempt_id = a.id
         and m.kind = 'stopping_deadline'
       where a.status = 'stopping'
         and m.id is null`,
  },
  {
    id: 'old-keys',
    invariant: 'A47',
    words: 'No idempotency key is kept for more than a day beyond its week.',
    sql: `
      select scope || ' ' || key as subject, 'of ' || created_at as found
        from idempotency_keys
       where created_at < clock_timestamp() - interval '8 days'`,
  },
];
