import { AppError, isTerminalRun, type Task } from '@baton/contract';
import type { Client } from '@baton/sdk';

/**
 * The id of the task that a person means by an id, a unique prefix of one, `RUN/KEY`, or a key alone
 * where only one recent task has it; `last` is the task of the newest run, where it has one. Ids and prefixes are the server's matter.
 * @throws AppError not_found, ambiguous with what would be clear.
 */
export async function resolveTask(client: Client, text: string): Promise<string> {
  const slash = text.indexOf('/');
  if (slash > 0) return taskOfRun(client, text.slice(0, slash), text.slice(slash + 1));
  if (text === 'last') return onlyTaskOf(client, text);
  if (text.startsWith('task_') || !KEY.test(text)) return text;
  const byId = await client.tasks.get(text).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found') return undefined;
    throw error;
  });
  if (byId !== undefined) return byId.id;
  const { items } = await client.tasks.list({ text, limit: 200 });
  return only(
    items.filter(({ key }) => key === text),
    text,
  ).id;
}

/** The run that a person means: an id, a unique prefix, or `last` for the newest one. */
export async function resolveRun(client: Client, text: string): Promise<string> {
  if (text !== 'last') return text;
  const { items } = await client.runs.list({ limit: 1 });
  const [newest] = items;
  if (newest === undefined) {
    throw new AppError('not_found', 'There is no run yet. Start one: baton run "what to do".');
  }
  return newest.id;
}

const KEY = /^[a-z0-9][a-z0-9_-]{0,62}$/;

async function onlyTaskOf(client: Client, run: string): Promise<string> {
  const { tasks } = await client.runs.graph(await resolveRun(client, run));
  const [first, second] = tasks;
  if (first !== undefined && second === undefined) return first.id;
  const names = tasks.slice(0, 20).map((task) => `${run}/${task.key}`);
  throw new AppError('ambiguous', `Run ${run} has several tasks. Say which: ${names.join(', ')}.`, {
    detail: { candidates: names },
  });
}

async function taskOfRun(client: Client, run: string, key: string): Promise<string> {
  const { tasks } = await client.runs.graph(await resolveRun(client, run));
  const found = tasks.find((task) => task.key === key);
  if (found !== undefined) return found.id;
  const keys = tasks.map((task) => task.key).slice(0, 20);
  throw new AppError('not_found', `Run ${run} has no task ${key}; it has ${keys.join(', ')}.`);
}

function only(tasks: readonly Task[], text: string): Task {
  const [first, second] = tasks;
  if (first === undefined) {
    throw new AppError(
      'not_found',
      `No task has the id or key ${text}. See \`baton task list\`, or name it RUN/KEY.`,
    );
  }
  if (second === undefined) return first;
  const names = tasks.slice(0, 5).map((task) => `${task.run}/${task.key}`);
  throw new AppError(
    'ambiguous',
    `${tasks.length} tasks have the key ${text}. Say which: ${names.join(', ')}${tasks.length > 5 ? ', ...' : ''}.`,
    { detail: { candidates: names } },
  );
}

/** True when nothing of the run will change by itself any more. */
export function hasEnded(run: {
  readonly status: Parameters<typeof isTerminalRun>[0];
  readonly delivery: { readonly state: string };
}): boolean {
  return isTerminalRun(run.status) && run.delivery.state !== 'pending';
}
