import { command, id } from '../../command.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { runExplanationPage } from '../../views/run-view.ts';

export const runExplain = command({
  name: ['run', 'explain'],
  summary: 'why a run is in its status, and what it waits for',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  async run({ client }, { run }) {
    const explanation = await client().runs.explain(await resolveRun(client(), run));
    return { json: explanation, text: runExplanationPage(explanation) };
  },
});
