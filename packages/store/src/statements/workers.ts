import type { HardNeeds, WorkerRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { pickRow } from '../tables/pick-row.ts';

/** A worker and the attempts that hold its slots, oldest claim first. */
export interface WorkerRead {
  readonly worker: WorkerRow;
  readonly attempts: readonly string[];
}

/** Ready tasks with the same hard needs. */
export interface WaitingNeeds {
  readonly needs: HardNeeds;
  readonly tasks: number;
}

type FlatWorker = WorkerRow & Pick<WorkerRead, 'attempts'>;
const row = z.strictObject({
  ...TABLES.workers.shape,
  attempts: z.array(z.string()),
}) as unknown as z.ZodType<FlatWorker>;

const SELECT = `
    select ${TABLES.workers.select('w')},
      array(select a.id
              from attempts a
             where a.worker_id = w.id
               and a.ended_at is null
               and a.park_mode is distinct from 'held'
             order by a.claimed_at, a.id) as attempts
      from workers w`;

export const workerById = statement({
  name: 'workerById',
  args: (project: string, id: string) => [project, id],
  row,
  sql: `${SELECT}
     where w.id = $2
       and w.project_id = $1`,
});

export const workerByNameStatement = statement({
  name: 'workerByName',
  args: (project: string, name: string) => [project, name],
  row,
  sql: `${SELECT}
     where w.project_id = $1
       and w.name = $2`,
});

/** Ephemeral workers leave the view when they were silent for this long. */
const EPHEMERAL_MINUTES = 5;

export const workersPage = statement({
  name: 'workersPage',
  args: (project: string, limit: number, after: string | undefined) => [
    project,
    after ?? '',
    limit,
    EPHEMERAL_MINUTES,
  ],
  row,
  sql: `${SELECT}
     where w.project_id = $1
       and w.name > $2
       and not (w.ephemeral
                and coalesce(w.last_seen_at, w.registered_at)
                  < statement_timestamp() - make_interval(mins => $4))
     order by w.name
     limit $3`,
});

const NEEDS_MAX = 10_000;

export const waitingNeedsStatement = statement({
  name: 'waitingNeeds',
  args: (project: string) => [project, NEEDS_MAX],
  row: z.strictObject({ needs: z.custom<HardNeeds>(), tasks: z.int() }),
  sql: `
    select n.needs, waiting.tasks
      from (select r.needs_id, count(*) as tasks
              from ready r
             where r.project_id = $1
               and r.held is null
             group by r.needs_id) as waiting
      join needs n
        on n.id = waiting.needs_id
     order by waiting.tasks desc, n.id
     limit $2`,
});

/** A worker of a project. */
export async function findWorker(
  queries: Asker,
  project: string,
  id: string,
): Promise<WorkerRead | undefined> {
  return (await queries.query(workerById, project, id)).map(toRead)[0];
}

/** A worker of a project, by its exact name. */
export async function findWorkerByName(
  queries: Asker,
  project: string,
  name: string,
): Promise<WorkerRead | undefined> {
  return (await queries.query(workerByNameStatement, project, name)).map(toRead)[0];
}

/** Workers of a project by name, behind the name `after`. */
export async function listWorkers(
  queries: Asker,
  project: string,
  limit: number,
  after: string | undefined,
): Promise<WorkerRead[]> {
  return (await queries.query(workersPage, project, limit, after)).map(toRead);
}

/** How much work waits, by what it needs; only what nobody holds back. */
export function waitingNeeds(queries: Asker, project: string): Promise<WaitingNeeds[]> {
  return queries.query(waitingNeedsStatement, project);
}

function toRead(flat: FlatWorker): WorkerRead {
  return { worker: pickRow(TABLES.workers, { ...flat }), attempts: flat.attempts };
}
