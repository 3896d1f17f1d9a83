import { command, id, optional } from '../../command.ts';
import { flag, usage } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { paint, show } from '../../terminal/shown.ts';

export const taskAssign = command({
  name: ['task', 'assign'],
  summary: 'assign a task to a worker by name',
  arguments: {
    task: id('id or key of a task, or RUN/KEY'),
    worker: optional('name of a worker'),
  },
  options: { none: flag('--none', 'take the assignment back') },
  async run({ client }, { task, worker }, { none }) {
    if ((worker === undefined) !== none) throw usage('Name a worker, or say --none.');
    const changed = await client().tasks.assign(await resolveTask(client(), task), worker ?? null);
    const where = changed.assigned_worker;
    return {
      json: changed,
      text:
        where === null
          ? show`${changed.key} is assigned to nobody`
          : show`${changed.key} is assigned to ${paint.bold(where)}`,
    };
  },
});
