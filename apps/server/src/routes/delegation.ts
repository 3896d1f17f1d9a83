import { isTerminalTask, neededEnds } from '@baton/contract';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { resolveId } from '../resolve.ts';
import { taskView } from '../views/task.ts';
import { waitForTasks } from './wait-for-tasks.ts';

type Names = 'waitTasks';

/** Handlers about work that waits for other work. */
export function delegationHandlers(app: App): Pick<Handlers, Names> {
  const { reads } = app;

  return {
    async waitTasks(call) {
      const { ids: texts, policy, quorum, timeout } = call.body;
      const resolved = await Promise.all(
        texts.map((text) => resolveId(reads, 'tasks', call.project, text)),
      );
      const ids = [...new Set(resolved)];
      const needed = neededEnds(policy, quorum, ids.length);
      const { isMet, tasks } = await waitForTasks(app, call, ids, needed, timeout);
      return {
        met: isMet,
        needed,
        ended: tasks.filter(({ task }) => isTerminalTask(task.status)).length,
        tasks: tasks.map(taskView),
      };
    },
  };
}
