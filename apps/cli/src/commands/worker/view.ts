import { command, id } from '../../command.ts';
import { workerPage } from '../../views/worker-view.ts';

export const workerView = command({
  name: ['worker', 'view'],
  summary: 'one worker, with what it can do',
  arguments: { worker: id('name or id of a worker') },
  async run({ client, nowMs }, { worker }) {
    const found = await client().workers.get(worker);
    return { json: found, text: workerPage(found, nowMs()) };
  },
});
