import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { show } from '../../terminal/shown.ts';

export const workerUndrain = command({
  name: ['worker', 'undrain'],
  summary: 'give a drained worker work again',
  arguments: { worker: id('name or id of a worker') },
  options: { reason: text('--reason <text>', 'why; kept in the history') },
  async run({ client }, { worker }, { reason }) {
    const changed = await client().workers.undrain(worker, reason);
    return { json: changed, text: show`${changed.name} gets work again` };
  },
});
