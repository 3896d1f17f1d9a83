import { command } from '../../command.ts';
import { table } from '../../terminal/table.ts';
import { ago } from '../../terminal/time-text.ts';

export const keyList = command({
  name: ['key', 'list'],
  summary: 'list API keys',
  async run({ client, nowMs }) {
    const page = await client().keys.list();
    return {
      json: page,
      text: table(
        ['ID', 'NAME', 'MAY', 'USED', 'EXPIRES'],
        page.items.map((key) => [
          key.id,
          key.name,
          key.scopes.join(', '),
          key.last_used_at === null ? 'never' : ago(key.last_used_at, nowMs()),
          key.expires_at ?? 'never',
        ]),
      ),
    };
  },
});
