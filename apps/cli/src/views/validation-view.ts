import type { CallReply } from '@baton/sdk';
import { paint, show, stack, type Shown } from '../terminal/shown.ts';

/** What the control plane says about a submission that was not made. */
export function validationPage(checked: CallReply<'validateRun'>): Shown {
  const tasks = checked.task_count === 1 ? 'one task' : `${checked.task_count} tasks`;
  return stack(
    checked.ok ? show`${paint.green('valid')}: ${tasks}` : show`${paint.red('not valid')}`,
    ...checked.problems.map(({ code, detail }) => show`  ${paint.dim(code)} ${detail}`),
    uncoveredLine(checked),
  );
}

/** What no worker can take, and where to look; undefined where each task has one. */
export function uncoveredLine({ uncovered }: CallReply<'validateRun'>): Shown | undefined {
  if (uncovered.length === 0) return undefined;
  return show`${paint.yellow('no worker online can take')} ${uncovered.join(', ')}. \`baton doctor\` says which agents are missing here, \`baton task explain\` what a task needs.`;
}
