import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { show } from '../../terminal/shown.ts';

export const workerDrain = command({
  name: ['worker', 'drain'],
  summary: 'give a worker no new work',
  arguments: { worker: id('name or id of a worker') },
  options: { reason: text('--reason <text>', 'why; kept in the history') },
  async run({ client }, { worker }, { reason }) {
    const changed = await client().workers.drain(worker, reason);
    return { json: changed, text: show`${changed.name} gets no new work` };
  },
});
