import { command, id, rest } from '../../command.ts';
import { usage } from '../../option.ts';
import { readText } from '../../resolve/read-text.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const taskMessage = command({
  name: ['task', 'message'],
  summary: 'say something to the agent of a task: pushed to a live one, else told to the next',
  arguments: {
    task: id('id or key of a task, or RUN/KEY'),
    text: rest('the message; @file or - for standard input'),
  },
  options: {},
  async run({ client, cwd, input }, { task, text: words }) {
    const [first, more] = words;
    if (first === undefined || more !== undefined) {
      throw usage('Put the message in quotes: baton task message TASK "text".');
    }
    const sent = await client().call('messageTask', {
      params: { id: await resolveTask(client(), task) },
      body: { text: await readText(first, cwd, input) },
    });
    return {
      json: sent,
      text: sent.delivered ? show`sent to the live agent` : show`kept for the next agent`,
    };
  },
});
