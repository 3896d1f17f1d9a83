import { command, id } from '../../command.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { taskPage } from '../../views/task-view.ts';

export const taskView = command({
  name: ['task', 'view'],
  summary: 'one task with its inputs, outputs and edges',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client, nowMs }, { task }) {
    const detail = await client().tasks.get(await resolveTask(client(), task));
    return { json: detail, text: taskPage(detail, nowMs()) };
  },
});
