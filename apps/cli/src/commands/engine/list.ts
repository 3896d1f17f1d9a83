import { command } from '../../command.ts';
import { table } from '../../terminal/table.ts';

export const engineList = command({
  name: ['engine', 'list'],
  summary: 'engines built in or advertised by a worker',
  async run({ client }) {
    const engines = await client().workers.engines();
    return {
      json: engines,
      text: table(
        ['ENGINE', 'BUILT IN', 'WORKERS'],
        engines.items.map((it) => [it.name, it.built_in ? 'yes' : 'no', it.workers]),
      ),
    };
  },
});
