import { LIMITS } from '@baton/contract';
import type { DependencyRow } from '@baton/kernel';
import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { pickRow } from '../tables/pick-row.ts';

/** An edge with the keys of its ends. */
export interface EdgeRead {
  readonly edge: DependencyRow;
  readonly upstreamKey: string;
  readonly downstreamKey: string;
}

type FlatEdge = DependencyRow & Pick<EdgeRead, 'upstreamKey' | 'downstreamKey'>;
const row = z.strictObject({
  ...TABLES.dependencies.shape,
  upstreamKey: z.string(),
  downstreamKey: z.string(),
}) as unknown as z.ZodType<FlatEdge>;

const SELECT = `
    select ${TABLES.dependencies.select('d')},
      up.key as "upstreamKey", down.key as "downstreamKey"
      from dependencies d
      join tasks up
        on up.id = d.upstream_id
      join tasks down
        on down.id = d.downstream_id`;

const EDGES_MAX = 2 * LIMITS.dependenciesPerRunSettingMax;

export const edgesOfRunStatement = statement({
  name: 'edgesOfRun',
  args: (run: string) => [run, EDGES_MAX],
  row,
  sql: `${SELECT}
     where d.run_id = $1
     order by d.id
     limit $2`,
});

export const edgesOfTaskStatement = statement({
  name: 'edgesOfTask',
  args: (task: string) => [task, EDGES_MAX],
  row,
  sql: `${SELECT}
     where d.upstream_id = $1
        or d.downstream_id = $1
     order by d.id
     limit $2`,
});

export const edgeById = statement({
  name: 'edgeById',
  args: (run: string, id: string) => [run, id],
  row,
  sql: `${SELECT}
     where d.id = $2
       and d.run_id = $1`,
});

/** All edges of a run. */
export async function edgesOfRun(queries: Asker, run: string): Promise<EdgeRead[]> {
  return (await queries.query(edgesOfRunStatement, run)).map(toRead);
}

/** Edges into and out of a task. */
export async function edgesOfTask(queries: Asker, task: string): Promise<EdgeRead[]> {
  return (await queries.query(edgesOfTaskStatement, task)).map(toRead);
}

/** An edge of a run. */
export async function findEdge(
  queries: Asker,
  run: string,
  id: string,
): Promise<EdgeRead | undefined> {
  return (await queries.query(edgeById, run, id)).map(toRead)[0];
}

function toRead(flat: FlatEdge): EdgeRead {
  return {
    edge: pickRow(TABLES.dependencies, { ...flat }),
    upstreamKey: flat.upstreamKey,
    downstreamKey: flat.downstreamKey,
  };
}
