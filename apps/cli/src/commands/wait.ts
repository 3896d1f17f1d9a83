import { command, id, type Answer } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { numeric } from '../option.ts';
import { resolveRun, resolveTask } from '../resolve/task-id.ts';
import { statusText } from '../terminal/status-text.ts';
import { show } from '../terminal/shown.ts';

export const wait = command({
  name: ['wait'],
  summary: 'wait until a run or task has ended; exit 0 only if it is completed',
  arguments: { id: id('id of a run or task, RUN/KEY, or last for the newest run') },
  options: {
    timeout: numeric('--timeout <seconds>', 'give up after this and exit 75', { min: 0 }),
  },
  async run(context, { id: text }, { timeout }) {
    const options = {
      signal: context.signal,
      timeoutMs: timeout === undefined ? undefined : timeout * 1_000,
    };
    context.activity.say(`waiting for ${text}`);
    return text === 'last' || text.startsWith('run_')
      ? waitForRun(context, text, options)
      : waitForTask(context, text, options);
  },
});

interface Options {
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
}

async function waitForRun({ client }: Context, text: string, options: Options): Promise<Answer> {
  const run = await client().runs.wait(await resolveRun(client(), text), options);
  return {
    json: run,
    text: show`${run.id} ${statusText(run.status)}${run.reason === null ? '' : `: ${run.reason}`}`,
    exitCode: exitOf(run.status === 'completed'),
  };
}

async function waitForTask({ client }: Context, text: string, options: Options): Promise<Answer> {
  const task = await client().tasks.wait(await resolveTask(client(), text), options);
  return {
    json: task,
    text: show`${task.key} ${statusText(task.status)}${task.reason === null ? '' : `: ${task.reason}`}`,
    exitCode: exitOf(task.status === 'completed'),
  };
}

function exitOf(isCompleted: boolean): number {
  return isCompleted ? EXIT_CODES.ok.code : EXIT_CODES.failed.code;
}
