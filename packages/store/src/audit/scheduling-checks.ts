import type { AuditCheck } from './audit-check.ts';

/** Limits and budgets: what is counted is what is there. */
export const SCHEDULING_CHECKS: readonly AuditCheck[] = [
  {
    id: 'limit-places',
    invariant: 'A27',
    words: 'A limit has as many places as may run under it.',
    sql: `
      select l.id as subject, count(s.id) || ' places of ' || coalesce(l.max_running, 0) as found
        from limits l
        left join limit_slots s
          on s.limit_id = l.id
         and not s.surplus
       group by l.id, l.max_running
      having count(s.id) <> coalesce(l.max_running, 0)`,
  },
  {
    id: 'limit-holder',
    invariant: 'A27',
    words: 'A place is held by an attempt that has not ended and that says so.',
    sql: `
      select s.id as subject, 'held by ' || s.attempt_id || ', which does not hold it' as found
        from limit_slots s
        left join attempts a
          on a.id = s.attempt_id
         and a.ended_at is null
         and a.holds::jsonb -> 'slots' ? s.id
       where s.attempt_id <> ''
         and a.id is null`,
  },
  {
    id: 'limit-held',
    invariant: 'A27',
    words: 'What an attempt says that it holds is held by it.',
    sql: `
      select a.id as subject, 'holds ' || slot.id || ', which is not its' as found
        from attempts a
       cross join lateral jsonb_array_elements_text(a.holds::jsonb -> 'slots') as slot (id)
        left join limit_slots s
          on s.id = slot.id
         and s.attempt_id = a.id
       where a.holds is not null
         and s.id is null`,
  },
  {
    id: 'budget-reserved',
    invariant: 'B80',
    words: 'What is set aside in a budget is what open attempts have set aside in it.',
    sql: `
      select b.id as subject,
             b.reserved_micros || ' set aside, its attempts ' || coalesce(held.sum, 0) as found
        from budgets b
        left join (select budget.id, sum((a.holds ->> 'reserved')::bigint) as sum
                     from attempts a
                    cross join lateral
                          jsonb_array_elements_text(a.holds::jsonb -> 'budgets') as budget (id)
                    where a.holds is not null
                      and a.ended_at is null
                    group by budget.id) as held
          on held.id = b.id
       where b.reserved_micros <> coalesce(held.sum, 0)`,
  },
];
