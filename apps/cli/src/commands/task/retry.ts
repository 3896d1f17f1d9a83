import { command, id } from '../../command.ts';
import { choice, text } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskRetry = command({
  name: ['task', 'retry'],
  summary: 'run an ended task again, with its last failure in the prompt',
  details: 'Its run is reopened. What comes after it keeps its results, unless --downstream reset.',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options: {
    reason: text('--reason <text>', 'why; kept in the history'),
    downstream: choice('--downstream <what>', 'what becomes of finished dependents', [
      'keep',
      'reset',
    ]),
  },
  async run({ client }, { task }, { reason, downstream }) {
    const changed = await client().tasks.retry(await resolveTask(client(), task), {
      reason,
      downstream,
    });
    return { json: changed, text: show`${changed.key} again, now ${statusText(changed.status)}` };
  },
});
