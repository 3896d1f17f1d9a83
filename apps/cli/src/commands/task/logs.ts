import { LOG_STREAMS } from '@baton/contract';
import { command, id, type Answer } from '../../command.ts';
import type { Context } from '../../context.ts';
import { showLogs } from '../../logs/show-logs.ts';
import { choice, flag, text } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';

const options = {
  follow: flag('-f, --follow', 'go on until the task ends'),
  attempt: text('--attempt <id>', 'of this attempt; default: the newest'),
  stream: choice('--stream <name>', 'only this stream', LOG_STREAMS),
  raw: flag('--raw', 'with escape sequences, as the agent wrote it'),
};

export const taskLogs = command({
  name: ['task', 'logs'],
  summary: 'output of a task, from its start',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options,
  run: logs,
});

export const logsShort = command({
  name: ['logs'],
  summary: 'short for `baton task logs`',
  arguments: { task: id('id or key of a task, or RUN/KEY') },
  options,
  run: logs,
});

async function logs(
  context: Context,
  { task }: { readonly task: string },
  given: {
    readonly follow: boolean;
    readonly attempt: string | undefined;
    readonly stream: string | undefined;
    readonly raw: boolean;
  },
): Promise<Answer | undefined> {
  await showLogs(context, await resolveTask(context.client(), task), given);
  return undefined;
}
