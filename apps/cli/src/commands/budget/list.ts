import { command } from '../../command.ts';
import { text } from '../../option.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { paint, show } from '../../terminal/shown.ts';
import { table } from '../../terminal/table.ts';

export const budgetList = command({
  name: ['budget', 'list'],
  summary: 'budgets and where they stand',
  options: { run: text('--run <run>', 'only of the project, this run and its tasks') },
  async run({ client, out }, _, { run }) {
    const of = run === undefined ? undefined : await resolveRun(client(), run);
    const budgets = await client().scheduling.budgets(of);
    return {
      json: { items: budgets },
      text:
        budgets.length === 0
          ? show`No budgets. Set one: baton budget set RUN 20`
          : table(
              ['SCOPE', 'ID', 'SPENT', 'SET ASIDE', 'OF', ''],
              budgets.map((it) => [
                it.scope,
                it.id,
                `$${it.spent_usd}`,
                `$${it.reserved_usd}`,
                `$${it.limit_usd}`,
                it.exhausted ? paint.red('spent') : it.warned ? paint.yellow('80 %') : '',
              ]),
              out.columns(),
            ),
    };
  },
});
