import { id, command } from '../../command.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { runPage } from '../../views/run-view.ts';

export const runView = command({
  name: ['run', 'view'],
  summary: 'one run with its tasks',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  async run({ client, nowMs, out }, { run }) {
    const graph = await client().runs.graph(await resolveRun(client(), run));
    return { json: graph, text: runPage(graph, nowMs(), out.columns()) };
  },
});
