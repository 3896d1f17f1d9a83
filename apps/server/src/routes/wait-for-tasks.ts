import { isTerminalTask } from '@baton/contract';
import type { TaskRead } from '@baton/store';
import type { App } from '../app.ts';
import { startDeadline } from '../deadline.ts';

/** Tasks as they are when enough of them have ended, or when the time is up. */
export interface Waited {
  readonly isMet: boolean;
  /** In the order of the ids. */
  readonly tasks: readonly TaskRead[];
}

/**
 * Waits until `needed` of the tasks have ended, at most `waitSeconds`. The database is read once, and
 * again when a committed event tells of one of them; waiting itself asks it nothing.
 */
export async function waitForTasks(
  app: Pick<App, 'reads' | 'stopping' | 'coordinator'>,
  call: { readonly project: string; readonly signal: AbortSignal },
  ids: readonly string[],
  needed: number,
  waitSeconds: number,
): Promise<Waited> {
  const watched = new Set(ids);
  let wake = (): void => undefined;
  let changed = false;
  // Listening begins before the first look, so that an end in between is not missed.
  const unsubscribe = app.coordinator.onCommitted((events) => {
    if (events.some(({ taskId }) => taskId !== null && watched.has(taskId))) {
      changed = true;
      wake();
    }
  });
  const look = async (): Promise<Waited> => {
    const found = new Map(
      (await app.reads.tasksById(call.project, [...watched])).map((it) => [it.task.id, it]),
    );
    const tasks = ids.flatMap((id) => found.get(id) ?? []);
    // A task that is gone will not end any more.
    const gone = ids.length - tasks.length;
    const ended = tasks.filter(({ task }) => isTerminalTask(task.status)).length;
    return { isMet: ended + gone >= needed, tasks };
  };
  const over = startDeadline(waitSeconds * 1_000, [call.signal, app.stopping]);
  try {
    let seen = await look();
    while (!seen.isMet && !over.signal.aborted && waitSeconds > 0) {
      if (!changed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          over.signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      changed = false;
      seen = await look();
    }
    return seen;
  } finally {
    over.clear();
    unsubscribe();
  }
}
