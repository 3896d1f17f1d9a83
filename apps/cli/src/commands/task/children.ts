import { findDoor } from '../../attempt/door.ts';
import { command, optionalId, type Answer } from '../../command.ts';
import type { Context } from '../../context.ts';
import { usage } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';
import { taskList } from '../../views/task-view.ts';

export const taskChildren = command({
  name: ['task', 'children'],
  summary: 'tasks that a task handed on; inside an attempt its own',
  arguments: { task: optionalId('id or key of a task, or RUN/KEY') },
  async run(context, { task }): Promise<Answer> {
    const items = await childrenOf(context, task);
    return {
      json: { items, next_cursor: null },
      text:
        items.length === 0
          ? show`No children.`
          : taskList(items, context.nowMs(), context.out.columns()),
    };
  },
});

async function childrenOf(context: Context, task: string | undefined) {
  const door = task === undefined ? findDoor(context) : undefined;
  if (door !== undefined) return door.children();
  if (task === undefined) throw usage('Name a task: baton task children TASK.');
  const client = context.client();
  const id = await resolveTask(client, task);
  const { items } = await client.call('listChildren', { params: { id }, query: { limit: 1_000 } });
  return items;
}
