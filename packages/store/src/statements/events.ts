import type { NewEvent } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';

/** Where the feed ends: `pos` of the newest event, 0 before the first. */
export interface FeedHead {
  readonly pos: number;
  readonly incarnation: number;
  /** The database's clock. */
  readonly nowMs: number;
}

export const readFeedHead = statement({
  name: 'readFeedHead',
  args: () => [],
  row: z.strictObject({ pos: z.int(), incarnation: z.int(), nowMs: z.int() }),
  sql: `
    select next_pos - 1 as pos, incarnation, clock_timestamp() as "nowMs"
      from feed
     where id = 1`,
});

/** The end of the feed; in a snapshot, that of the state which the snapshot shows. */
export async function feedHead(queries: Asker): Promise<FeedHead> {
  const [head] = await queries.query(readFeedHead);
  if (head === undefined) throw new Error('the feed has no head; the database is not migrated');
  return head;
}

/** A place in the feed. */
export interface EventPlace {
  readonly pos: number;
  /** What the feed says when it was, epoch milliseconds. */
  readonly atMs: number;
}

export const posOfRunEvent = statement({
  name: 'posOfRunEvent',
  args: (runId: string, runSeq: number) => [runId, runSeq],
  row: z.strictObject({ pos: z.int(), atMs: z.int() }),
  sql: `
    select pos, at as "atMs"
      from events
     where run_id = $1
       and run_seq = $2`,
});

/** Where and when the event with this number in its run stands in the feed. */
export async function findEventPlace(
  queries: Asker,
  runId: string,
  runSeq: number,
): Promise<EventPlace | undefined> {
  const [row] = await queries.query(posOfRunEvent, runId, runSeq);
  return row;
}

/** Whose events: of a run, of a task, or of the whole project. */
export interface EventFilter {
  readonly project: string;
  readonly run?: string | undefined;
  readonly task?: string | undefined;
}

/** An event as it is stored, with its place in the feed. */
export interface EventRead {
  readonly pos: number;
  readonly event: NewEvent;
}

const eventRow = z.strictObject({
  pos: z.int(),
  projectId: z.string(),
  runId: z.string().nullable(),
  runSeq: z.int().nullable(),
  taskId: z.string().nullable(),
  attemptId: z.string().nullable(),
  type: z.custom<NewEvent['type']>(),
  actor: z.custom<NewEvent['actor']>(),
  cause: z.string().nullable(),
  atMs: z.int(),
  data: z.custom<NewEvent['data']>(),
});

const EVENT_COLUMNS = `e.pos, e.project_id as "projectId", e.run_id as "runId", e.run_seq as "runSeq",
           e.task_id as "taskId", e.attempt_id as "attemptId", e.type, e.actor, e.cause,
           e.at as "atMs", e.data`;

/** Parts of the history that end before a position are not looked at. */
const fromPart = (pos: string): string => `e.period >= (select coalesce(max(part.period), 0)
                         from event_periods part
                        where part.first_pos <= ${pos}::bigint + 1)`;

export const eventsOfProject = statement({
  name: 'eventsOfProject',
  args: (project: string, pos: number, limit: number) => [project, pos, limit],
  row: eventRow,
  sql: `
    select ${EVENT_COLUMNS}
      from events e
     where e.pos > $2
       and e.project_id = $1
       and ${fromPart('$2')}
     order by e.pos
     limit $3`,
});

/**
 * In a run the order of `run_seq` is that of `pos`. A cursor is usually an event of the same run; the
 * place of another one is found from the end, at the cost of the events behind it.
 */
export const eventsOfRun = statement({
  name: 'eventsOfRun',
  args: (project: string, run: string, pos: number, limit: number) => [project, run, pos, limit],
  row: eventRow,
  sql: `
    select ${EVENT_COLUMNS}
      from events e
     where e.run_id = $2
       and e.project_id = $1
       and e.run_seq > coalesce(
             (select at.run_seq
                from events at
               where at.pos = $3
                 and at.run_id = $2),
             (select before.run_seq
                from events before
               where before.run_id = $2
                 and before.pos <= $3
               order by before.run_seq desc
               limit 1),
             0)
     order by e.run_seq
     limit $4`,
});

/** The run of a task, and the one that it moved out of, if it did: only a single task does, and once. */
export const runsOfTask = (run: string, task: string, when = ''): string => `select ${run}
         union all
        select moved.data ->> 'from_run'
          from events moved
         where moved.run_id = ${run}
           and moved.task_id = ${task}
           and moved.type = 'task.updated'
           and moved.data ->> 'from_run' is not null${when}`;

/**
 * Events of a task are found among those of its run, behind the cursor where that is an event of the
 * run: rare as it is, reading them does not pay for an index on every event.
 */
export const eventsOfTask = statement({
  name: 'eventsOfTask',
  args: (project: string, task: string, pos: number, limit: number) => [project, task, pos, limit],
  row: eventRow,
  sql: `
    select ${EVENT_COLUMNS}
      from tasks t
      join runs r
        on r.id = t.run_id
     cross join lateral
           (${runsOfTask('t.run_id', 't.id', ' and r.plan_version = 0')}) as lived (run_id)
      join events e
        on e.run_id = lived.run_id
       and e.task_id = t.id
     where t.id = $2
       and e.project_id = $1
       and e.pos > $3
       and (e.run_id <> t.run_id or e.run_seq > coalesce(
             (select at.run_seq
                from events at
                join tasks its
                  on its.run_id = at.run_id
               where at.pos = $3
                 and its.id = $2),
             0))
       and ${fromPart('$3')}
     order by e.pos
     limit $4`,
});

export const eventsOfAll = statement({
  name: 'eventsOfAll',
  args: (pos: number, before: number, limit: number) => [pos, before, limit],
  row: eventRow,
  sql: `
    select ${EVENT_COLUMNS}
      from events e
     where e.pos > $1
       and e.pos < $2
       and ${fromPart('$1')}
     order by e.pos
     limit $3`,
});

/**
 * Events of all projects behind `pos` and before `before` (undefined: to the end), oldest first. What is
 * visible has no gap, except for parts of the history that were dropped.
 */
export async function readFeed(
  queries: Asker,
  pos: number,
  before: number | undefined,
  limit: number,
): Promise<EventRead[]> {
  const end = before ?? Number.MAX_SAFE_INTEGER;
  return (await queries.query(eventsOfAll, pos, end, limit)).map(toEventRead);
}

/** Events behind `pos`, oldest first. A task's filter wins over its run's. */
export async function listEvents(
  queries: Asker,
  filter: EventFilter,
  pos: number,
  limit: number,
): Promise<EventRead[]> {
  const { project, run, task } = filter;
  const rows = await (task !== undefined
    ? queries.query(eventsOfTask, project, task, pos, limit)
    : run !== undefined
      ? queries.query(eventsOfRun, project, run, pos, limit)
      : queries.query(eventsOfProject, project, pos, limit));
  return rows.map(toEventRead);
}

function toEventRead({ pos, ...event }: z.infer<typeof eventRow>): EventRead {
  return { pos, event };
}
