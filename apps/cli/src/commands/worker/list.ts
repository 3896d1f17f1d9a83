import { command } from '../../command.ts';
import { show } from '../../terminal/shown.ts';
import { workerTable } from '../../views/worker-view.ts';

export const workerList = command({
  name: ['worker', 'list'],
  summary: 'list workers by name',
  async run({ client, nowMs, out }) {
    const page = await client().workers.list();
    return {
      json: page,
      text:
        page.items.length === 0
          ? show`No workers. Add a machine: baton worker token`
          : workerTable(page.items, nowMs(), out.columns()),
    };
  },
});
