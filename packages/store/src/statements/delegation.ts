import type { ActionRow, AwaitRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { afterKey, type PageKey } from './filter.ts';

const AWAITS_MAX = 200;

export const awaitsOfTaskStatement = statement({
  name: 'awaitsOfTask',
  args: (task: string) => [task, AWAITS_MAX],
  row: TABLES.awaits.row,
  sql: `
    select ${TABLES.awaits.select('a')}
      from awaits a
     where a.task_id = $1
     order by a.opened_at desc, a.id desc
     limit $2`,
});

/** Awaits of a task, the newest first. */
export function awaitsOfTask(queries: Asker, task: string): Promise<AwaitRow[]> {
  return queries.query(awaitsOfTaskStatement, task);
}

export const actionsOfTaskPage = statement({
  name: 'actionsOfTaskPage',
  args: (task: string, limit: number, after: PageKey | undefined) => [
    task,
    ...afterKey(after),
    limit,
  ],
  row: TABLES.actions.row,
  sql: `
    select ${TABLES.actions.select('a')}
      from actions a
     where a.task_id = $1
       and (a.started_at, a.id) > ($2::timestamptz, $3)
     order by a.started_at, a.id
     limit $4`,
});

/** What the agents of a task did, oldest first, behind `after` (instant of the start, id). */
export function actionsOfTask(
  queries: Asker,
  task: string,
  limit: number,
  after: PageKey | undefined,
): Promise<ActionRow[]> {
  return queries.query(actionsOfTaskPage, task, limit, after);
}

/** An open await whose tasks in other runs have ended, as far as is needed. */
export interface MetAwait {
  readonly id: string;
  readonly runId: string;
  readonly projectId: string;
}

/** Ends of tasks show in their own run by themselves; those of other runs are looked for. */
export const awaitsToCheck = statement({
  name: 'awaitsToCheck',
  args: (limit: number) => [limit],
  row: z.strictObject({ id: z.string(), runId: z.string(), projectId: z.string() }),
  sql: `
    select a.id, a.run_id as "runId", a.project_id as "projectId"
      from awaits a
      join tasks own
        on own.id = a.task_id
       and own.status = 'waiting'
     where a.crosses_runs
       and a.status = 'open'
       and a.needed <= (select count(*)
                          from json_array_elements_text(a.tasks) as awaited (id)
                          left join tasks t
                            on t.id = awaited.id
                         where t.id is null
                            or t.out_of_play
                            or t.ended_at is not null)
     order by a.id
     limit $1`,
});

/** Open awaits over several runs that are met, at most `limit`. */
export function listAwaitsToCheck(queries: Asker, limit: number): Promise<MetAwait[]> {
  return queries.query(awaitsToCheck, limit);
}
