import type { AttemptRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { pickRow } from '../tables/pick-row.ts';
import { beforeKey, type PageKey } from './filter.ts';

/** An attempt; of a worker that was removed the name is its id. */
export interface AttemptRead {
  readonly attempt: AttemptRow;
  readonly workerName: string;
  readonly taskKey: string;
}

type FlatAttempt = AttemptRow & Pick<AttemptRead, 'workerName' | 'taskKey'>;
const row = z.strictObject({
  ...TABLES.attempts.shape,
  workerName: z.string(),
  taskKey: z.string(),
}) as unknown as z.ZodType<FlatAttempt>;

const SELECT = `
    select ${TABLES.attempts.select('a')},
      coalesce(w.name, a.worker_id) as "workerName", t.key as "taskKey"
      from attempts a
      join tasks t
        on t.id = a.task_id
      left join workers w
        on w.id = a.worker_id`;

export const attemptById = statement({
  name: 'attemptById',
  args: (id: string) => [id],
  row,
  sql: `${SELECT}
     where a.id = $1`,
});

export const attemptsOfTaskPage = statement({
  name: 'attemptsOfTaskPage',
  args: (task: string, limit: number, after: PageKey | undefined) => [
    task,
    ...beforeKey(after),
    limit,
  ],
  row,
  sql: `${SELECT}
     where a.task_id = $1
       and (a.claimed_at, a.id) < ($2::timestamptz, $3)
     order by a.claimed_at desc, a.id desc
     limit $4`,
});

const ATTEMPTS_OF_RUN_MAX = 20_000;

export const attemptsOfRunStatement = statement({
  name: 'attemptsOfRun',
  args: (run: string) => [run, ATTEMPTS_OF_RUN_MAX],
  row,
  sql: `${SELECT}
     where t.run_id = $1
     order by a.claimed_at, a.id
     limit $2`,
});

export const claimedOfWorkerStatement = statement({
  name: 'claimedOfWorker',
  args: (worker: string, limit: number) => [worker, limit],
  row: z.strictObject({ id: z.string() }),
  sql: `
    select id
      from attempts
     where worker_id = $1
       and ended_at is null
       and status = 'claimed'
     order by claimed_at, id
     limit $2`,
});

export const worksOnRunStatement = statement({
  name: 'worksOnRun',
  args: (worker: string, run: string) => [worker, run],
  row: z.strictObject({ works: z.boolean() }),
  sql: `
    select exists (select 1
                     from attempts
                    where worker_id = $1
                      and run_id = $2
                      and ended_at is null) as works`,
});

/** An attempt of any project: its token or worker says whose it is. */
export async function findAttempt(queries: Asker, id: string): Promise<AttemptRead | undefined> {
  return (await queries.query(attemptById, id)).map(toRead)[0];
}

/** Attempts of a task, newest first, behind `after` (instant of the claim, id). */
export async function attemptsOfTask(
  queries: Asker,
  task: string,
  limit: number,
  after: PageKey | undefined,
): Promise<AttemptRead[]> {
  return (await queries.query(attemptsOfTaskPage, task, limit, after)).map(toRead);
}

/** All attempts of a run by the instant of their claim. */
export async function attemptsOfRun(queries: Asker, run: string): Promise<AttemptRead[]> {
  return (await queries.query(attemptsOfRunStatement, run)).map(toRead);
}

/** Attempts that a worker was given and did not start, oldest first. */
export async function claimedOfWorker(
  queries: Asker,
  worker: string,
  limit: number,
): Promise<string[]> {
  return (await queries.query(claimedOfWorkerStatement, worker, limit)).map((it) => it.id);
}

/** Whether a worker holds an attempt of a run that has not ended. */
export async function worksOnRun(queries: Asker, worker: string, run: string): Promise<boolean> {
  const [answer] = await queries.query(worksOnRunStatement, worker, run);
  return answer?.works === true;
}

function toRead(flat: FlatAttempt): AttemptRead {
  return {
    attempt: pickRow(TABLES.attempts, { ...flat }),
    workerName: flat.workerName,
    taskKey: flat.taskKey,
  };
}
