import { command } from '../command.ts';
import { show } from '../terminal/shown.ts';
import { taskList } from '../views/task-view.ts';

export const ps = command({
  name: ['ps'],
  summary: 'what is going on now: tasks that run, wait or are ready',
  async run({ client, nowMs, out }) {
    const page = await client().tasks.list({
      status: ['running', 'verifying', 'waiting', 'awaiting_approval', 'ready'],
      limit: 200,
    });
    return {
      json: page,
      text:
        page.items.length === 0
          ? show`Nothing is going on.`
          : taskList(page.items, nowMs(), out.columns()),
    };
  },
});
