import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const runRerun = command({
  name: ['run', 'rerun'],
  summary: 'run the same plan again as a new run, linked to the old one',
  details: 'Same engines, roles and workers; nothing of the old run is used.',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  options: { reason: text('--reason <text>', 'why; kept in the history') },
  async run({ client }, { run }, { reason }) {
    const made = await client().runs.rerun(await resolveRun(client(), run), reason);
    return {
      json: made,
      text: show`${made.run.id} ${statusText(made.run.status)}, again for ${made.run.rerun_of}`,
    };
  },
});
