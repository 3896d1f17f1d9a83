import { command, id } from '../../command.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { showRun } from '../../watch/show-run.ts';

export const runWatch = command({
  name: ['run', 'watch'],
  summary: 'show a run to its end; exit 0 only if it is completed',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  run: async (context, { run }) => {
    const found = await context.client().runs.get(await resolveRun(context.client(), run));
    return showRun(context, found.id);
  },
});
