import { command, id } from '../../command.ts';
import { numeric, text } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';
import { table } from '../../terminal/table.ts';
import { ago } from '../../terminal/time-text.ts';

export const taskActions = command({
  name: ['task', 'actions'],
  summary: 'the ledger of what the agents of a task did, oldest first',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options: {
    limit: numeric('-n, --limit <number>', 'at most so many (default 50)', { min: 1, max: 1_000 }),
    cursor: text('--cursor <cursor>', 'continue a list: next_cursor of the page before'),
  },
  async run({ client, nowMs, out }, { task }, { limit, cursor }) {
    const page = await client().call('listActions', {
      params: { id: await resolveTask(client(), task) },
      query: {
        ...(limit === undefined ? {} : { limit }),
        ...(cursor === undefined ? {} : { cursor }),
      },
    });
    return {
      json: page,
      text:
        page.items.length === 0
          ? show`Nothing is on record.`
          : table(
              ['WHEN', 'STATUS', 'EFFECT', 'WHAT', 'ON'],
              page.items.map((it) => [
                ago(it.started_at, nowMs()),
                it.status,
                it.effect,
                it.name,
                it.target,
              ]),
              out.columns(),
            ),
    };
  },
});
