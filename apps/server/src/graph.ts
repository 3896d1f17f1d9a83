import { createReads, type Db, type EdgeRead, type RunRead, type TaskRead } from '@baton/store';

/** A run, its tasks in plan order, its edges, and the place in the feed up to which they tell. */
export interface GraphRead {
  readonly run: RunRead;
  readonly tasks: readonly TaskRead[];
  readonly edges: readonly EdgeRead[];
  readonly cursor: string;
}

/** A run with everything of it, all of one moment; undefined when the project has none of that id. */
export async function findGraph(
  db: Pick<Db, 'readSnapshot'>,
  project: string,
  id: string,
): Promise<GraphRead | undefined> {
  return db.readSnapshot(async (queries) => {
    const reads = createReads(queries);
    const run = await reads.findRun(project, id);
    if (run === undefined) return undefined;
    const tasks = await reads.tasksOfRun(id);
    const edges = await reads.edgesOfRun(id);
    const { incarnation, pos } = await reads.feedHead();
    return { run, tasks, edges, cursor: `${incarnation}.${pos}` };
  });
}
