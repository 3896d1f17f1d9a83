import { command, id } from '../../command.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskResume = command({
  name: ['task', 'resume'],
  summary: 'let a paused task go on, in its old workspace and conversation where it can',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client }, { task }) {
    const changed = await client().tasks.resume(await resolveTask(client(), task));
    return { json: changed, text: show`${changed.key} is ${statusText(changed.status)}` };
  },
});
