import type { Event, RunGraph, Task } from '@baton/contract';
import type { Tower } from './tower.ts';
import { until } from './tower.ts';

/** Waits until a run has ended; answers it with its tasks by key. */
export async function untilEnded(
  tower: Tower,
  runId: string,
  withinMs = 180_000,
): Promise<{ readonly graph: RunGraph; readonly tasks: Readonly<Record<string, Task>> }> {
  let graph: RunGraph | undefined;
  const show = (): string =>
    (graph?.tasks ?? [])
      .map((task) => `${task.key}=${task.status}(${task.reason ?? ''})`)
      .join(' ');
  try {
    await until(
      `run ${runId} has ended`,
      async () => {
        graph = await tower.client.call('getRunGraph', { params: { id: runId } });
        return ['completed', 'failed', 'cancelled'].includes(graph.run.status);
      },
      withinMs,
    );
  } catch (error) {
    throw new Error(`${String(error)}: ${show()}`, { cause: error });
  }
  if (graph === undefined) throw new Error('no graph');
  return { graph, tasks: byKey(graph) };
}

/** The tasks of a run by key. */
export function byKey(graph: RunGraph): Readonly<Record<string, Task>> {
  return Object.fromEntries(graph.tasks.map((task) => [task.key, task]));
}

/** A task that must be there. */
export function taskOf(tasks: Readonly<Record<string, Task>>, key: string): Task {
  const found = tasks[key];
  if (found === undefined) throw new Error(`no task ${key}`);
  return found;
}

/** Every event of a run, oldest first. */
export async function eventsOf(tower: Tower, runId: string): Promise<Event[]> {
  const all: Event[] = [];
  let cursor: string | undefined;
  do {
    const page = await tower.client.call('listRunEvents', {
      params: { id: runId },
      query: { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) },
    });
    all.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

/** Where the first event of a type for a task stands; -1 when there is none. */
export function placeOf(events: readonly Event[], type: string, taskId?: string): number {
  return events.findIndex(
    (event) => event.type === type && (taskId === undefined || event.task === taskId),
  );
}

/** Whole stdout of a task's newest attempt. */
export async function stdoutOf(tower: Tower, taskId: string): Promise<string> {
  const parts: Buffer[] = [];
  let cursor: string | undefined;
  do {
    const page = await tower.client.call('readTaskLogs', {
      params: { id: taskId },
      query: { limit: 1_000, stream: 'stdout', ...(cursor === undefined ? {} : { cursor }) },
    });
    for (const chunk of page.items) {
      parts.push(Buffer.from(chunk.data, chunk.encoding === 'base64' ? 'base64' : 'utf8'));
    }
    cursor = page.items.length === 0 ? undefined : (page.next_cursor ?? undefined);
  } while (cursor !== undefined);
  return Buffer.concat(parts).toString('utf8');
}
