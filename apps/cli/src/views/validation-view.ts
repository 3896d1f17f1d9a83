import type { CallReply } from '@baton/sdk';
import { paint, show, stack, type Shown } from '../terminal/shown.ts';

/** What the control plane says about a submission that was not made. */
export function validationPage(checked: CallReply<'validateRun'>): Shown {
  const tasks = checked.task_count === 1 ? 'one task' : `${checked.task_count} tasks`;
  return stack(
    checked.ok ? show`${paint.green('valid')}: ${tasks}` : show`${paint.red('not valid')}`,
    ...checked.problems.map(({ code, detail }) => show`  ${paint.dim(code)} ${detail}`),
    checked.uncovered.length > 0 &&
      show`${paint.yellow('no worker online can take')} ${checked.uncovered.join(', ')}. See \`baton worker list\`.`,
  );
}
