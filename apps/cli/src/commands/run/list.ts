import { RUN_STATUSES } from '@baton/contract';
import { command } from '../../command.ts';
import { choices, numeric, text } from '../../option.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';
import { runTable } from '../../views/run-view.ts';

export const runList = command({
  name: ['run', 'list'],
  summary: 'list runs, newest first',
  options: {
    status: choices('-s, --status <statuses>', 'only these', RUN_STATUSES),
    label: text('--label <label>', 'only with this label: key or key=value'),
    lineage: text('--lineage <run>', 'only this run and those that were run again from it'),
    text: text('--text <words>', 'only with these words in the goal'),
    limit: numeric('-n, --limit <number>', 'at most so many (default 50)', { min: 1, max: 1_000 }),
    cursor: text('--cursor <cursor>', 'continue a list: next_cursor of the page before'),
  },
  async run({ client, nowMs, out }, _, { status, label, lineage, text: words, limit, cursor }) {
    const page = await client().runs.list({
      status: status.length === 0 ? undefined : [...status],
      label,
      lineage: lineage === undefined ? undefined : await resolveRun(client(), lineage),
      text: words,
      limit,
      cursor,
    });
    return {
      json: page,
      text:
        page.items.length === 0
          ? show`No runs. Start one: baton run "what to do" --repo .`
          : runTable(page.items, nowMs(), out.columns()),
    };
  },
});
