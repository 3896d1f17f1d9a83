import { REVIEW_STATES, TASK_STATUSES } from '@baton/contract';
import { command } from '../../command.ts';
import { choices, commaTexts, flag, numeric, text } from '../../option.ts';
import { resolveRun } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';
import { taskList as taskRows } from '../../views/task-view.ts';

export const taskList = command({
  name: ['task', 'list'],
  summary: 'list tasks, newest first',
  options: {
    status: choices('-s, --status <statuses>', 'only these', TASK_STATUSES),
    run: text('--run <run>', 'only of this run'),
    role: commaTexts('--role <roles>', 'only of these roles'),
    engine: text('--engine <name>', 'only for this engine'),
    worker: text('--worker <name>', 'only on this worker'),
    origin: text('--origin <id>', 'only made by this attempt, session or client'),
    parent: text('--parent <task>', 'only children of this task'),
    priority: commaTexts('--priority <names>', 'only of these priorities'),
    label: text('--label <label>', 'only with this label: key or key=value'),
    lineage: text('--lineage <run>', 'only of this run and those that were run again from it'),
    review: choices('--review <states>', 'only with such a review', REVIEW_STATES),
    needsHuman: flag('--needs-human', 'only those that wait for a person'),
    text: text('--text <words>', 'only with these words in key, title or spec'),
    limit: numeric('-n, --limit <number>', 'at most so many (default 50)', { min: 1, max: 1_000 }),
    cursor: text('--cursor <cursor>', 'continue a list: next_cursor of the page before'),
  },
  async run(
    { client, nowMs, out },
    _,
    { run, status, role, priority, lineage, review, needsHuman, ...same },
  ) {
    const some = (list: readonly string[]) => (list.length === 0 ? undefined : [...list]);
    const page = await client().tasks.list({
      ...same,
      run: run === undefined ? undefined : await resolveRun(client(), run),
      status: some(status),
      role: some(role),
      priority: some(priority),
      review: some(review),
      lineage: lineage === undefined ? undefined : await resolveRun(client(), lineage),
      needs_human: needsHuman ? 'true' : undefined,
    });
    return {
      json: page,
      text:
        page.items.length === 0
          ? show`No such tasks.`
          : taskRows(page.items, nowMs(), out.columns()),
    };
  },
});
