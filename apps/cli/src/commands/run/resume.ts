import { command, id } from '../../command.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const runResume = command({
  name: ['run', 'resume'],
  summary: 'let a paused run go on; its agents go on in the conversations that they had',
  details: 'Tasks that were paused for themselves stay paused.',
  arguments: { run: id('id of a run, a unique prefix, or last') },
  async run({ client }, { run }) {
    const resumed = await client().runs.resume(await resolveRun(client(), run));
    return { json: resumed, text: show`${resumed.id} is ${statusText(resumed.status)}` };
  },
});
