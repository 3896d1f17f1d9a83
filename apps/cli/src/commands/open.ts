import { command, optionalId } from '../command.ts';
import { resolveRun } from '../resolve/task-id.ts';
import { paint, show, stack } from '../terminal/shown.ts';

export const open = command({
  name: ['open'],
  summary: 'open the dashboard, or one run in it, in the browser',
  arguments: { run: optionalId('id of a run, a unique prefix, or last') },
  async run({ client, openBrowser, config }, { run }) {
    const link = await client().keys.loginLink();
    const url =
      run === undefined
        ? link.login_url
        : `${config.target.url}/runs/${(await client().runs.get(await resolveRun(client(), run))).id}`;
    const opened = await openBrowser(run === undefined ? link.login_url : url);
    return {
      json: { url, login_url: link.login_url, opened },
      text: stack(
        show`${paint.bold(url)}`,
        run !== undefined && show`${paint.dim('not logged in there yet?')} ${link.login_url}`,
      ),
    };
  },
});
