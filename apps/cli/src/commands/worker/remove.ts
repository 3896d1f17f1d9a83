import { command, id } from '../../command.ts';
import { show } from '../../terminal/shown.ts';

export const workerRemove = command({
  name: ['worker', 'remove'],
  summary: 'forget a worker: its key stops working, its open attempts are lost',
  arguments: { worker: id('name or id of a worker') },
  async run({ client }, { worker }) {
    const found = await client().workers.get(worker);
    await client().workers.remove(found.id);
    return { json: { removed: found.id }, text: show`${found.name} is removed` };
  },
});
