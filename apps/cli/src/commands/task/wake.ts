import { command, id } from '../../command.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';
import { statusText } from '../../terminal/status-text.ts';

export const taskWake = command({
  name: ['task', 'wake'],
  summary: 'resume an agent that awaits its children, with what has arrived so far',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client }, { task }) {
    const params = { id: await resolveTask(client(), task) };
    const changed = await client().call('wakeTask', { params, body: {} });
    return { json: changed, text: show`${changed.key} is ${statusText(changed.status)}` };
  },
});
