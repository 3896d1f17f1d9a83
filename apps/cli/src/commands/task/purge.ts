import { AppError } from '@baton/contract';
import type { Client } from '@baton/sdk';
import { command, id } from '../../command.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const taskPurge = command({
  name: ['task', 'purge'],
  summary: 'delete a task with all its logs, files and history',
  details: 'Purging it again is fine. It cannot be undone.',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client }, { task }) {
    const resolved = await resolveAny(client(), task);
    await client().tasks.purge(resolved);
    return { json: { purged: resolved }, text: show`nothing of ${resolved} is kept` };
  },
});

/** What was deleted is found by its id alone, and what was purged by nothing. */
async function resolveAny(client: Client, task: string): Promise<string> {
  try {
    return await resolveTask(client, task);
  } catch (error) {
    const isGone = error instanceof AppError && error.code === 'not_found' && !task.includes('/');
    if (isGone) return task;
    throw error;
  }
}
