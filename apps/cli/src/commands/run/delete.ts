import { command, id } from '../../command.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const runDelete = command({
  name: ['run', 'delete'],
  summary: 'cancel a run and take it out of sight',
  details: 'Its logs and files are kept until it is purged.',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  async run({ client }, { run }) {
    const resolved = await resolveRun(client(), run);
    await client().runs.remove(resolved);
    return { json: { deleted: resolved }, text: show`${resolved} is deleted` };
  },
});
