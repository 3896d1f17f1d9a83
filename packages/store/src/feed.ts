import type { NewEvent } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from './db.ts';
import { bind, statement, type Bound } from './statement.ts';
import { storableText, toJsonText } from './tables/column.ts';
import { toTimestamptz } from './parameters.ts';
import { rowParameters, rowSource } from './world/row-source.ts';

/** The end of the feed: the position of its next event, its history, and the mark of who was there last. */
export interface FeedEnd {
  readonly nextPos: number;
  readonly incarnation: number;
  readonly mark: string;
}

const placeRow = z.strictObject({
  first_pos: z.int(),
  incarnation: z.int(),
  mark: z.string(),
  last_at: z.int(),
});

/** Where events were appended; see `appendEvents`. */
export type FeedPlace = z.infer<typeof placeRow>;

/** The columns of events but their place in the feed; `run_seq` hardly ever is the same in all. */
const EVENTS = rowSource(
  [
    { name: 'run_seq', arrayOf: 'bigint', type: 'bigint' },
    { name: 'project_id', arrayOf: 'text', type: 'text' },
    { name: 'run_id', arrayOf: 'text', type: 'text' },
    { name: 'task_id', arrayOf: 'text', type: 'text' },
    { name: 'attempt_id', arrayOf: 'text', type: 'text' },
    { name: 'type', arrayOf: 'text', type: 'text' },
    { name: 'actor', arrayOf: 'text', type: 'json' },
    { name: 'cause', arrayOf: 'text', type: 'text' },
    { name: 'data', arrayOf: 'text', type: 'json' },
  ],
  { isNumbered: true },
);

/** The parameter behind those of the events: `behind(1)` is the mark, `behind(2)` the instant. */
const behind = (at: number): string => `$${EVENTS.parameterCount + at}`;

/**
 * Numbers events and inserts them. It updates the one row of `feed`, so whoever comes second waits here
 * for the first one's COMMIT: positions are dense and their order is the order of commits. Time in the
 * feed never goes back: a batch that was slower than another one gets the other's. Must be the last
 * statement of its transaction, sent together with COMMIT.
 */
export const insertEvents = statement({
  name: 'insertEvents',
  args: (events: readonly NewEvent[], mark: string) => valuesOf(events, mark),
  row: placeRow,
  sql: `${numbered('')}
    select counter.first_pos, counter.incarnation, counter.mark, counter.last_at
      from counter`,
});

/** The same, and an error (40001) unless the feed ends as it is expected to. */
export const insertEventsAt = statement({
  name: 'insertEventsAt',
  args: (events: readonly NewEvent[], mark: string, end: FeedEnd) => [
    ...valuesOf(events, mark),
    end.nextPos,
    end.incarnation,
    end.mark,
  ],
  row: z.strictObject({ ...placeRow.shape, count: z.int() }),
  sql: `${numbered(`
         and next_pos = ${behind(3)}
         and incarnation = ${behind(4)}
         and mark = ${behind(5)}`)}
    select expect_rows(count(*), 1, 'insertEventsAt') as count, max(first_pos) as first_pos,
           max(incarnation) as incarnation, max(mark) as mark, max(last_at) as last_at
      from counter`,
});

/** Numbers and inserts, where the row of `feed` is as the condition says; `counter` tells where. */
function numbered(condition: string): string {
  return `
    with counter as (
      update feed
         set next_pos = next_pos + cardinality($1::bigint[]),
             mark = ${behind(1)},
             last_at = greatest(last_at, ${behind(2)}::timestamptz)
       where id = 1${condition}
      returning next_pos - cardinality($1::bigint[]) as first_pos, incarnation, mark, last_at, period),
    written as (
      insert into events (run_seq, project_id, run_id, task_id, attempt_id, type, actor, cause, data,
                          pos, at, period)
      select ${EVENTS.values.join(', ')},
             counter.first_pos + u.place - 1, counter.last_at, counter.period
        from counter
       cross join ${EVENTS.from})`;
}

/** All get the newest instant among them: they come to be with one commit. */
function valuesOf(events: readonly NewEvent[], mark: string): readonly unknown[] {
  const values = rowParameters([
    events.map((it) => it.runSeq),
    events.map((it) => it.projectId),
    events.map((it) => it.runId),
    events.map((it) => it.taskId),
    events.map((it) => it.attemptId),
    events.map((it) => it.type),
    events.map((it) => toJsonText(it.actor)),
    events.map((it) => (it.cause === null ? null : storableText(it.cause))),
    events.map((it) => toJsonText(it.data)),
  ]);
  const atMs = events.reduce((latest, it) => Math.max(latest, it.atMs), -Infinity);
  return [...values, mark, toTimestamptz(atMs)];
}

/**
 * The statement that appends a batch's events, in the order of the array. Its one row tells the
 * position of the first (`first_pos`; the others follow without gaps), the time they were given
 * (`last_at`), the feed's incarnation and its mark, which is a new one each time.
 * Give it to `commitWith`, last; leave it out when there are no events. With `end`, it fails as
 * `retryable` unless the feed ends there.
 */
export function appendEvents(
  events: readonly NewEvent[],
  mark: string,
  end?: FeedEnd,
): Bound<FeedPlace> {
  return end === undefined
    ? bind(insertEvents, events, mark)
    : bind(insertEventsAt, events, mark, end);
}

export const readFeedEnd = statement({
  name: 'readFeedEnd',
  args: () => [],
  row: z.strictObject({ nextPos: z.int(), incarnation: z.int(), mark: z.string() }),
  sql: `
    select next_pos as "nextPos", incarnation, mark
      from feed
     where id = 1`,
});

/** Where the feed ends; in a snapshot, that of the state which the snapshot shows. */
export async function seeFeedEnd(queries: Asker): Promise<FeedEnd> {
  return endOf(await queries.query(readFeedEnd));
}

export const markFeed = statement({
  name: 'markFeed',
  args: (mark: string) => [mark],
  row: z.strictObject({ nextPos: z.int(), incarnation: z.int(), mark: z.string() }),
  sql: `
    update feed
       set mark = $1
     where id = 1
    returning next_pos as "nextPos", incarnation, mark`,
});

/**
 * Waits for whoever appends events just now, then marks the end of the feed and tells it. From then on
 * nothing is appended that expects an end told before. The mark is a new one.
 */
export async function fenceFeed(queries: Asker, mark: string): Promise<FeedEnd> {
  return endOf(await queries.query(markFeed, mark));
}

function endOf([end]: readonly FeedEnd[]): FeedEnd {
  if (end === undefined) throw new Error('the feed has no end; the database is not migrated');
  return end;
}
