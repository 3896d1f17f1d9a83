import type { Explanation } from '@baton/contract';
import type { TaskRead } from '@baton/store';
import type { App } from '../app.ts';
import { found } from '../resolve.ts';
import { publicTaskId } from '../views/ids.ts';

/** Why a task is in its status, what holds it, who may take it, and what would change that. */
export async function explainTaskOf(app: App, { task }: TaskRead): Promise<Explanation> {
  const explained = found(await app.coordinator.explain(task.projectId, task.id), 'task', task.key);
  return {
    ...explained,
    task: publicTaskId(explained.task),
    waits_for: explained.waits_for.map((it) => ({ ...it, task: publicTaskId(it.task) })),
  };
}
