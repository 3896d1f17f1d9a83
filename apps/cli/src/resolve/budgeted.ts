import type { Client } from '@baton/sdk';
import { resolveRun, resolveTask } from './task-id.ts';

/** The id of what a person means to give money to: `project`, a run, or a task. */
export async function resolveBudgeted(client: Client, text: string): Promise<string> {
  if (text === 'project') return (await client.call('me')).project;
  if (text === 'last' || text.startsWith('run_')) {
    return text.includes('/') ? resolveTask(client, text) : resolveRun(client, text);
  }
  return text.startsWith('prj_') ? text : resolveTask(client, text);
}
