import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { show } from '../../terminal/shown.ts';

export const taskAdopt = command({
  name: ['task', 'adopt'],
  summary: 'take a result that came when its attempt had been given up',
  details:
    'Its task completes by it, unless somebody has begun it anew. See the attempts of the task.',
  arguments: { attempt: id('id of an attempt') },
  options: { reason: text('--reason <text>', 'why; kept in the history') },
  async run({ client }, { attempt }, { reason }) {
    const adopted = await client().attempts.adopt(attempt, reason);
    return { json: adopted, text: show`the result of ${adopted.id} is that of its task now` };
  },
});
