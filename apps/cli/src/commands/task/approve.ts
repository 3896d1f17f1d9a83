import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskApprove = command({
  name: ['task', 'approve'],
  summary: 'approve the only open approval of a task',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options: {
    reason: text('--reason <text>', 'why; kept in the history'),
  },
  async run({ client }, { task }, { reason }) {
    const changed = await client().tasks.approve(await resolveTask(client(), task), reason);
    return {
      json: changed,
      text: show`${changed.key} approved, now ${statusText(changed.status)}`,
    };
  },
});
