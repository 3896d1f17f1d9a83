import { command } from '../command.ts';
import { paint, show, stack } from '../terminal/shown.ts';

export const login = command({
  name: ['login'],
  summary: 'print a fresh one-time login link to the dashboard',
  async run({ client }) {
    const link = await client().keys.loginLink();
    return {
      json: link,
      text: stack(
        show`${paint.bold(link.login_url)}`,
        show`${paint.dim(`valid once, until ${link.expires_at}`)}`,
      ),
    };
  },
});
