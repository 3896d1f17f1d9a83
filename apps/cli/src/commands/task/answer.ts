import { command, id, rest } from '../../command.ts';
import { flag, text } from '../../option.ts';
import { decisionOf } from '../../resolve/decision.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskAnswer = command({
  name: ['task', 'answer'],
  summary: 'answer the only open question of a task',
  arguments: {
    task: id('id or key of a task, or RUN/KEY'),
    answer: rest('one of the options, or free text'),
  },
  options: {
    default: flag('--default', 'take the default option'),
    text: flag('--text', 'the answer is free text although it reads like an option'),
    reason: text('--reason <text>', 'why; kept in the history'),
  },
  async run({ client }, { task, answer }, options) {
    const taskId = await resolveTask(client(), task);
    const words = answer.join(' ');
    const { open_checkpoints: open } = await client().tasks.get(taskId);
    const only = open.length === 1 ? open[0] : undefined;
    const offered = only === undefined ? [] : (await client().checkpoints.get(only.id)).options;
    const changed = await client().tasks.answer(taskId, decisionOf(words, offered, options));
    return {
      json: changed,
      text: show`${changed.key} answered, now ${statusText(changed.status)}`,
    };
  },
});
