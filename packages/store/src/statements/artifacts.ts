import type { ArtifactRow } from '@baton/kernel';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';

const row = TABLES.artifacts.row;
const SELECT = `
    select ${TABLES.artifacts.select('f')}
      from artifacts f`;
const ARTIFACTS_MAX = 10_000;

export const artifactById = statement({
  name: 'artifactById',
  args: (project: string, id: string) => [project, id],
  row,
  sql: `${SELECT}
     where f.id = $2
       and f.project_id = $1`,
});

export const artifactsOfTaskStatement = statement({
  name: 'artifactsOfTask',
  args: (task: string) => [task, ARTIFACTS_MAX],
  row,
  sql: `${SELECT}
     where f.task_id = $1
     order by f.created_at desc, f.id desc
     limit $2`,
});

export const artifactsOfRunStatement = statement({
  name: 'artifactsOfRun',
  args: (run: string) => [run, ARTIFACTS_MAX],
  row,
  sql: `${SELECT}
     where f.run_id = $1
     order by f.created_at desc, f.id desc
     limit $2`,
});

/** A file's description, of a project. */
export async function findArtifact(
  queries: Asker,
  project: string,
  id: string,
): Promise<ArtifactRow | undefined> {
  const [found] = await queries.query(artifactById, project, id);
  return found;
}

/** Files of a task, newest first. */
export function artifactsOfTask(queries: Asker, task: string): Promise<ArtifactRow[]> {
  return queries.query(artifactsOfTaskStatement, task);
}

/** Files of a run, newest first. */
export function artifactsOfRun(queries: Asker, run: string): Promise<ArtifactRow[]> {
  return queries.query(artifactsOfRunStatement, run);
}
