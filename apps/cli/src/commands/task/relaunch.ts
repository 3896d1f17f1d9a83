import { command, id } from '../../command.ts';
import { choice, text } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskRelaunch = command({
  name: ['task', 'relaunch'],
  summary: 'put a task of any status back to its start, under the same id',
  details:
    'A live agent is stopped. What comes after it keeps its results, unless --downstream reset.',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options: {
    reason: text('--reason <text>', 'why; kept in the history'),
    downstream: choice('--downstream <what>', 'what becomes of finished dependents', [
      'keep',
      'reset',
    ]),
  },
  async run({ client }, { task }, { reason, downstream }) {
    const changed = await client().tasks.relaunch(await resolveTask(client(), task), {
      reason,
      downstream,
    });
    return { json: changed, text: show`${changed.key} anew, now ${statusText(changed.status)}` };
  },
});
