import { DEPENDENCY_RULES, DEPENDENCY_TYPES } from '@baton/contract';
import { command, id, required } from '../../../command.ts';
import { choice, text } from '../../../option.ts';
import { resolveTask } from '../../../resolve/task-id.ts';
import { show } from '../../../terminal/shown.ts';

export const taskDepsAdd = command({
  name: ['task', 'deps', 'add'],
  summary: 'make a task wait for another one',
  arguments: {
    task: id('the task that waits'),
    upstream: required('the task that it waits for'),
  },
  options: {
    type: choice(
      '--type <type>',
      'kind of edge (default: blocks, or input with --contract)',
      DEPENDENCY_TYPES,
    ),
    contract: text('--contract <key>', "output of the upstream that becomes the task's input"),
    as: text('--as <name>', 'name of the input; default: that of the output'),
    on: choice('--on <rule>', 'when it counts as done', DEPENDENCY_RULES),
  },
  async run({ client }, { task, upstream }, { type, contract, as, on }) {
    const edge = await client().tasks.addDependency(await resolveTask(client(), task), {
      upstream: await resolveTask(client(), upstream),
      type: type ?? (contract === undefined ? 'blocks' : 'input'),
      contract_key: contract,
      as,
      on,
    });
    return {
      json: edge,
      text: show`${edge.id} ${edge.downstream_key} waits for ${edge.upstream_key} (${edge.type}${edge.contract_key === null ? '' : ` ${edge.contract_key}`})`,
    };
  },
});
