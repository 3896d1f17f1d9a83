import type { NewEvent } from '@baton/kernel';
import { z } from 'zod';
import { bind, statement, type Bound } from './statement.ts';
import { storableText, toJsonText } from './tables/column.ts';
import { toTimestamptz } from './parameters.ts';

/**
 * Numbers events and inserts them. It updates the one row of `feed`, so whoever comes second waits here
 * for the first one's COMMIT: positions are dense and their order is the order of commits. Time in the
 * feed never goes back: a batch that was slower than another one gets the other's. Must be the last
 * statement of its transaction, sent together with COMMIT.
 */
export const insertEvents = statement({
  name: 'insertEvents',
  args: (events: readonly NewEvent[]) => [
    events.map((it) => it.projectId),
    events.map((it) => it.runId),
    events.map((it) => it.runSeq),
    events.map((it) => it.taskId),
    events.map((it) => it.attemptId),
    events.map((it) => it.type),
    events.map((it) => toJsonText(it.actor)),
    events.map((it) => (it.cause === null ? null : storableText(it.cause))),
    events.map((it) => toTimestamptz(it.atMs)),
    events.map((it) => toJsonText(it.data)),
  ],
  row: z.strictObject({
    first_pos: z.int(),
    incarnation: z.int(),
    last_at: z.int(),
  }),
  sql: `
    with counter as (
      update feed
         set next_pos = next_pos + cardinality($1::text[]),
             last_at = greatest(last_at, (select max(at) from unnest($9::timestamptz[]) as t (at)))
       where id = 1
      returning next_pos - cardinality($1::text[]) as first_pos, incarnation, last_at, period),
    written as (
      insert into events (pos, project_id, run_id, run_seq, task_id, attempt_id, type, actor, cause,
                          at, data, period)
      select counter.first_pos + u.place - 1, u.project_id, u.run_id, u.run_seq, u.task_id, u.attempt_id,
             u.type, u.actor::json, u.cause, greatest(u.at, counter.last_at), u.data::json, counter.period
        from counter
       cross join unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                         $7::text[], $8::text[], $9::timestamptz[], $10::text[]) with ordinality
          as u (project_id, run_id, run_seq, task_id, attempt_id, type, actor, cause, at, data, place))
    select counter.first_pos, counter.incarnation, counter.last_at
      from counter`,
});

/**
 * The statement that appends a batch's events, in the order of the array. Its one row tells the
 * position of the first (`first_pos`; the others follow without gaps), the time they were given
 * (`last_at`) and the feed's incarnation.
 * Give it to `commitWith`, last; leave it out when there are no events.
 */
export function appendEvents(
  events: readonly NewEvent[],
): Bound<{ first_pos: number; incarnation: number; last_at: number }> {
  return bind(insertEvents, events);
}
