import { PRIORITIES, type TaskUpdate } from '@baton/contract';
import { command, id } from '../../command.ts';
import { choice, numeric, text, texts, usage } from '../../option.ts';
import { readText } from '../../resolve/read-text.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const taskUpdate = command({
  name: ['task', 'update'],
  summary: 'change what a task asks for; a live agent is told',
  examples: [
    'baton task update design --spec @new-spec.md',
    'baton task update build --priority high --label team=api',
  ],
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options: {
    title: text('--title <text>', 'a new title'),
    spec: text('--spec <text>', 'a new description of the work; @file or -'),
    priority: choice('--priority <priority>', 'its class in the queue', PRIORITIES),
    label: texts('--label <key=value>', 'a label; those given replace all'),
    criterion: texts('--criterion <text>', 'an acceptance criterion; those given replace all'),
    runTimeout: numeric('--run-timeout <seconds>', 'how long an attempt may run', { min: 1 }),
    idleTimeout: numeric('--idle-timeout <seconds>', 'how long an agent may be silent', { min: 1 }),
  },
  async run({ client, cwd, input }, { task }, options) {
    const found = await client().call('getTask', {
      params: { id: await resolveTask(client(), task) },
    });
    const { runTimeout: run, idleTimeout: idle } = options;
    const body: TaskUpdate = {
      ...(options.title === undefined ? {} : { title: options.title }),
      ...(options.spec === undefined ? {} : { spec: await readText(options.spec, cwd, input) }),
      ...(options.priority === undefined ? {} : { priority: options.priority }),
      ...(options.label.length === 0 ? {} : { labels: labelsOf(options.label) }),
      ...(options.criterion.length === 0 ? {} : { acceptance_criteria: [...options.criterion] }),
      ...(run === undefined && idle === undefined
        ? {}
        : {
            timeouts: {
              ...found.spec.timeouts,
              ...(run === undefined ? {} : { run }),
              ...(idle === undefined ? {} : { idle }),
            },
          }),
    };
    if (Object.keys(body).length === 0)
      throw usage('Say what to change; see baton help task update.');
    const changed = await client().call('updateTask', { params: { id: found.id }, body });
    return { json: changed, text: show`${changed.key} changed: ${Object.keys(body).join(', ')}` };
  },
});

function labelsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw usage(`A label is key=value, not ${pair}.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
