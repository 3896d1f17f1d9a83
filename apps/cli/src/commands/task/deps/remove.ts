import { AppError } from '@baton/contract';
import { command, id, required } from '../../../command.ts';
import { resolveTask } from '../../../resolve/task-id.ts';
import { show } from '../../../terminal/shown.ts';

export const taskDepsRemove = command({
  name: ['task', 'deps', 'remove'],
  summary: 'take an edge away: a task no longer waits for another one',
  arguments: {
    task: id('the task that waits'),
    upstream: required('the task that it waits for, or the id of the edge'),
  },
  async run({ client }, { task, upstream }) {
    const detail = await client().tasks.get(await resolveTask(client(), task));
    const edges = detail.dependencies.filter((edge) =>
      [edge.id, edge.upstream, edge.upstream_key].includes(upstream),
    );
    if (edges.length === 0) {
      const has = detail.dependencies.map((edge) => edge.upstream_key).join(', ');
      throw new AppError(
        'not_found',
        `${detail.key} does not wait for ${upstream}; ${has === '' ? 'it waits for nothing' : `it waits for ${has}`}.`,
      );
    }
    for (const edge of edges) await client().tasks.removeDependency(detail.id, edge.id);
    return {
      json: { removed: edges },
      text: show`${detail.key} no longer waits for ${edges[0]?.upstream_key}`,
    };
  },
});
