import { command, id, required } from '../../command.ts';
import { given } from '../../given.ts';
import { text } from '../../option.ts';
import { resolveBudgeted } from '../../resolve/budgeted.ts';
import { show } from '../../terminal/shown.ts';

export const budgetSet = command({
  name: ['budget', 'set'],
  summary:
    'set or raise what a run, a task or the project may spend; what was paused for it goes on',
  examples: ['baton budget set last 20', 'baton budget set project 500 --reserve 2'],
  arguments: {
    of: id('a run, a task (RUN/KEY too), or `project`'),
    usd: required('dollars, such as 20 or 2.50'),
  },
  options: {
    reserve: text('--reserve <usd>', 'set aside for each attempt before it starts (default 1)'),
  },
  async run({ client }, { of, usd }, { reserve }) {
    const body = { usd, ...given({ reserve_usd: reserve }) };
    const set = await client().scheduling.setBudget(await resolveBudgeted(client(), of), body);
    return {
      json: set,
      text: show`${set.scope} ${set.id} may spend $${set.limit_usd}; $${set.spent_usd} spent, $${set.reserved_usd} set aside`,
    };
  },
});
