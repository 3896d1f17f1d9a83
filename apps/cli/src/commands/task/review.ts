import { command, id } from '../../command.ts';
import { flag, text, usage } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskReview = command({
  name: ['task', 'review'],
  summary: 'review finished work: approve, reject, or have it done again',
  details:
    '--changes puts the task back into the queue, for the same agent where it can be gone on with.',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options: {
    approve: flag('--approve', 'it is good'),
    changes: text('--changes <text>', 'what is to be changed; the task is done again with it'),
    reject: flag('--reject', 'it is not; gates on it stay shut'),
    requeue: flag('--requeue', 'with --reject: have it done again, as with --changes'),
    reset: flag('--reset', 'take the review back'),
    reason: text('--reason <text>', 'why; kept with the review'),
  },
  async run({ client }, { task }, { approve, changes, reject, requeue, reset, reason }) {
    const chosen = [
      ...(approve ? (['approve'] as const) : []),
      ...(changes === undefined ? [] : (['request_changes'] as const)),
      ...(reject ? (['reject'] as const) : []),
      ...(reset ? (['reset'] as const) : []),
    ];
    const [action, other] = chosen;
    if (action === undefined || other !== undefined) {
      throw usage('Say one of --approve, --changes "what", --reject and --reset.');
    }
    const changed = await client().tasks.review(await resolveTask(client(), task), {
      action,
      reason: changes ?? reason,
      requeue,
    });
    const { state } = changed.review;
    return {
      json: changed,
      text: show`${changed.key} is ${statusText(changed.status)}; review: ${state.replace('_', ' ')}`,
    };
  },
});
