import { z } from 'zod';
import { statement } from '../statement.ts';
import { runsOfTask } from './events.ts';

const NOBODY = `'{"kind":"kernel","id":null,"name":null}'::json`;

/**
 * Positions of the feed stay dense: an event of what was purged keeps its place, and says nothing. Of a
 * task that leaves a run which stays, the number in the run is kept too.
 */
export const blankEventsOfRun = statement({
  name: 'blankEventsOfRun',
  args: (run: string, limit: number) => [run, limit],
  row: z.strictObject({ count: z.int() }),
  sql: `
    with blanked as (
      update events
         set type = 'event.purged', run_id = null, run_seq = null, task_id = null, attempt_id = null,
             actor = ${NOBODY}, cause = null, data = '{}'
       where pos in (select pos
                       from events
                      where run_id = $1
                      limit $2)
      returning 1)
    select count(*) as count
      from blanked`,
});

export const blankEventsOfTask = statement({
  name: 'blankEventsOfTask',
  args: (run: string, task: string, limit: number) => [run, task, limit],
  row: z.strictObject({ count: z.int() }),
  sql: `
    with blanked as (
      update events
         set type = 'event.purged', task_id = null, attempt_id = null,
             actor = ${NOBODY}, cause = null, data = '{}'
       where pos in (select pos
                       from events
                      where run_id in (${runsOfTask('$1', '$2')})
                        and task_id = $2
                      order by pos
                      limit $3)
      returning 1)
    select count(*) as count
      from blanked`,
});
