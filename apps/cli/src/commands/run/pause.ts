import { command, id } from '../../command.ts';
import { text } from '../../option.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const runPause = command({
  name: ['run', 'pause'],
  summary: 'suspend a run: its agents are stopped, nothing of it starts until it is resumed',
  details: 'Questions stay open; what is answered meanwhile counts when the run goes on.',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  options: { reason: text('--reason <text>', 'why; kept in the history') },
  async run({ client }, { run }, { reason }) {
    const paused = await client().runs.pause(await resolveRun(client(), run), reason);
    return { json: paused, text: show`${paused.id} is ${statusText(paused.status)}` };
  },
});
