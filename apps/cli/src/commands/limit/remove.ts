import { command, required } from '../../command.ts';
import { show } from '../../terminal/shown.ts';

export const limitRemove = command({
  name: ['limit', 'remove'],
  summary: 'take a limit away',
  arguments: { key: required('concurrency key') },
  async run({ client }, { key }) {
    await client().scheduling.removeLimit(key);
    return { json: { removed: key }, text: show`${key} has no limit any more` };
  },
});
