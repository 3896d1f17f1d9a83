import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskPause = command({
  name: ['task', 'pause'],
  summary: 'suspend a task: its agent is stopped, nobody takes it until it is resumed',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options: {
    reason: text('--reason <text>', 'why; kept in the history'),
  },
  async run({ client }, { task }, { reason }) {
    const changed = await client().tasks.pause(await resolveTask(client(), task), reason);
    return { json: changed, text: show`${changed.key} is ${statusText(changed.status)}` };
  },
});
