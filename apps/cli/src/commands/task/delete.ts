import { command, id } from '../../command.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const taskDelete = command({
  name: ['task', 'delete'],
  summary: 'cancel a task and what needs it, and take it out of its run',
  details: 'Its logs and files are kept until it is purged.',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client }, { task }) {
    const resolved = await resolveTask(client(), task);
    await client().tasks.remove(resolved);
    return { json: { deleted: resolved }, text: show`${resolved} is deleted` };
  },
});
