import { resolve } from 'node:path';
import { command, id } from '../../command.ts';
import { commaTexts, numeric, pairs, text, usage } from '../../option.ts';
import { readWorkflow } from '../../plan/read-workflow.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const runReplan = command({
  name: ['run', 'replan'],
  summary: "add the next version of a run's plan, in place of what did not work",
  details:
    'Finished work is kept, and new tasks may depend on it by key. Without --supersede the plan ' +
    'replaces what failed and what cannot start because of it. Tasks of the run that have not started ' +
    'are made to wait for new ones under existing: in the file. --version is the plan version that ' +
    'you looked at: if somebody else replanned since, nothing happens.',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  options: {
    plan: text('--plan <file>', 'the tasks to add and their dependencies, such as baton.yaml'),
    param: pairs('--param <k=v>', 'value of a parameter'),
    supersede: commaTexts('--supersede <keys>', 'keys of the tasks that it replaces'),
    version: numeric('--version <n>', 'the plan version it answers; default: the current one', {
      min: 0,
    }),
  },
  async run({ client, cwd }, { run }, { plan: file, param, supersede, version }) {
    if (file === undefined) throw usage('Give the new plan: --plan FILE.');
    const runId = await resolveRun(client(), run);
    const graph = await client().runs.graph(runId);
    const around = new Map(graph.tasks.map((it) => [it.key, it.spec.outputs]));
    const { plan } = readWorkflow(resolve(cwd, file), { params: param, around });
    if (typeof plan !== 'object') throw usage(`${file} has no tasks.`);
    const made = await client().runs.replan(runId, {
      plan,
      plan_version: version ?? graph.run.plan_version,
      ...(supersede.length === 0 ? {} : { supersede: [...supersede] }),
    });
    return {
      json: made,
      text: show`${made.run.id} ${statusText(made.run.status)}, plan version ${made.run.plan_version}`,
    };
  },
});
