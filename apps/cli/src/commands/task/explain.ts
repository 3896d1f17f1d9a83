import { command, id } from '../../command.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { explanationPage } from '../../views/task-view.ts';

export const taskExplain = command({
  name: ['task', 'explain'],
  summary: 'why a task is in its status, and who may take it',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  async run({ client }, { task }) {
    const explanation = await client().tasks.explain(await resolveTask(client(), task));
    return { json: explanation, text: explanationPage(explanation) };
  },
});
