import { command } from '../../command.ts';
import { text } from '../../option.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { show, stack } from '../../terminal/shown.ts';
import { checkpointCard } from '../../views/checkpoint-view.ts';

export const inboxList = command({
  name: ['inbox'],
  summary: 'what waits for a person, what holds up most first',
  options: { run: text('--run <run>', 'only of this run') },
  async run({ client, nowMs }, _, { run }) {
    const page = await client().checkpoints.list(
      run === undefined ? {} : { run: await resolveRun(client(), run) },
    );
    return {
      json: page,
      text:
        page.items.length === 0
          ? show`Nothing waits for you.`
          : stack(...page.items.map((it) => checkpointCard(it, nowMs()))),
    };
  },
});
