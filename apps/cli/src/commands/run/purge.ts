import { command, id } from '../../command.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const runPurge = command({
  name: ['run', 'purge'],
  summary: 'delete a run with all its logs, files and history',
  details: 'Purging it again is fine. It cannot be undone.',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  async run({ client }, { run }) {
    const resolved = await resolveRun(client(), run);
    await client().runs.purge(resolved);
    return { json: { purged: resolved }, text: show`nothing of ${resolved} is kept` };
  },
});
