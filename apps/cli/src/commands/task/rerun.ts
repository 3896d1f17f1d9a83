import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskRerun = command({
  name: ['task', 'rerun'],
  summary: 'make a new task beside this one and linked to it, clean start',
  details: 'Same engine, role, worker and inputs; what depends on the old one stays with it.',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options: {
    reason: text('--reason <text>', 'why; kept in the history'),
  },
  async run({ client }, { task }, { reason }) {
    const made = await client().tasks.rerun(await resolveTask(client(), task), reason);
    return { json: made, text: show`${made.id} ${made.key} is ${statusText(made.status)}` };
  },
});
