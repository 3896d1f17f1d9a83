import { command, id } from '../../command.ts';
import { resolveBudgeted } from '../../resolve/budgeted.ts';
import { show } from '../../terminal/shown.ts';

export const budgetRemove = command({
  name: ['budget', 'remove'],
  summary: 'take a budget away',
  arguments: { of: id('a run, a task (RUN/KEY too), or `project`') },
  async run({ client }, { of }) {
    const owner = await resolveBudgeted(client(), of);
    await client().scheduling.removeBudget(owner);
    return { json: { removed: owner }, text: show`${owner} has no budget any more` };
  },
});
