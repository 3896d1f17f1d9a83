import { command, id } from '../../command.ts';
import { show } from '../../terminal/shown.ts';

export const keyRevoke = command({
  name: ['key', 'revoke'],
  summary: 'revoke an API key at once',
  arguments: { key: id('id of the key') },
  async run({ client }, { key }) {
    await client().keys.revoke(key);
    return { json: { revoked: key }, text: show`${key} is revoked` };
  },
});
