import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const runCancel = command({
  name: ['run', 'cancel'],
  summary: 'cancel a run: nothing of it starts any more, live agents are stopped',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  options: { reason: text('--reason <text>', 'why; kept in the history') },
  async run({ client }, { run }, { reason }) {
    const cancelled = await client().runs.cancel(await resolveRun(client(), run), reason);
    return { json: cancelled, text: show`${cancelled.id} is ${statusText(cancelled.status)}` };
  },
});
