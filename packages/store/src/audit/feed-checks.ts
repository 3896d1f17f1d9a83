import type { AuditCheck } from './audit-check.ts';

/** The history: its numbers, its time, who has read how far. */
export const FEED_CHECKS: readonly AuditCheck[] = [
  {
    id: 'pos-dense',
    invariant: 'A34',
    words: 'Positions of the feed have no gap from the oldest kept to the newest.',
    sql: `
      select 'feed' as subject, 'next is ' || f.next_pos || ', there are ' || e.n || ' events from '
               || coalesce(e.first, 0) || ' to ' || coalesce(e.last, 0) as found
        from feed f
       cross join (select count(*) as n, min(pos) as first, max(pos) as last from events) as e
       where e.n > 0
         and (e.last <> f.next_pos - 1 or e.last - e.first + 1 <> e.n)`,
  },
  {
    id: 'run-seq-dense',
    invariant: 'A34',
    words: 'Events of a run are numbered without a gap, up to the number that the run keeps.',
    sql: `
      select r.id as subject, 'the run is at ' || r.seq || ', its ' || e.n || ' events go from '
               || e.first || ' to ' || e.last as found
        from runs r
        join (select run_id, count(*) as n, count(distinct run_seq) as numbers,
                     min(run_seq) as first, max(run_seq) as last
                from events
               where run_id is not null
               group by run_id) as e
          on e.run_id = r.id
       where e.last <> r.seq
          or e.last - e.first + 1 <> e.n
          or e.numbers <> e.n`,
  },
  {
    id: 'event-time',
    invariant: 'A39',
    words: 'Time does not go back along the feed.',
    sql: `
      select 'event ' || pos as subject, at || ' after ' || before as found
        from (select pos, at, lag(at) over (order by pos) as before from events) as e
       where at < before`,
  },
  {
    id: 'consumer-cursor',
    invariant: 'A40',
    words: 'No consumer has read what was not written.',
    sql: `
      select c.name as subject, 'has read to ' || c.incarnation || '.' || c.pos || ', the feed is at '
               || f.incarnation || '.' || f.next_pos - 1 as found
        from consumers c
       cross join feed f
       where c.incarnation > f.incarnation
          or (c.incarnation = f.incarnation and c.pos > f.next_pos - 1)`,
  },
  {
    id: 'log-order',
    invariant: 'A47',
    words: 'The pieces of an output follow one another without a gap.',
    sql: `
      select attempt_id as subject, stream || ' has a gap before ' || start_offset as found
        from (select attempt_id, stream, start_offset,
                     coalesce(lag(start_offset + octet_length(data))
                       over (partition by attempt_id, stream order by start_offset), 0) as expected
                from log_chunks) as c
       where start_offset <> expected`,
  },
];
