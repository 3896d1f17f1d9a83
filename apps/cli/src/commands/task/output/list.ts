import { command, id } from '../../../command.ts';
import { resolveTask } from '../../../resolve/task-id.ts';
import { show } from '../../../terminal/shown.ts';
import { table } from '../../../terminal/table.ts';
import { ago } from '../../../terminal/time-text.ts';

export const taskOutputList = command({
  name: ['task', 'output', 'list'],
  summary: 'fulfilled contracts of a task',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client, nowMs, out }, { task }) {
    const page = await client().tasks.outputs(await resolveTask(client(), task));
    return {
      json: page,
      text:
        page.items.length === 0
          ? show`No outputs yet.`
          : table(
              ['OUTPUT', 'TYPE', 'SET', 'DATA'],
              page.items.map((it) => [
                it.key,
                it.type,
                ago(it.fulfilled_at, nowMs()),
                JSON.stringify(it.data),
              ]),
              out.columns(),
            ),
    };
  },
});
