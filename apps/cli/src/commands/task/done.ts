import { RESULT_STATUSES, taskResult, type TaskResult } from '@baton/contract';
import { getDoor } from '../../attempt/door.ts';
import { command, optional } from '../../command.ts';
import type { Context } from '../../context.ts';
import { choice, numeric, text, usage } from '../../option.ts';
import { readText } from '../../resolve/read-text.ts';
import { show } from '../../terminal/shown.ts';

export const taskDone = command({
  name: ['task', 'done'],
  summary: 'hand in the result of the own task',
  details:
    'It counts once the agent has ended. Without it the result is made from the output and exit code.',
  examples: ['baton task done "Added the endpoint and its tests"'],
  arguments: { summary: optional('what was done') },
  options: {
    status: choice('--status <status>', 'how it ended (default: success)', RESULT_STATUSES),
    result: text('--result <json>', 'the whole result as JSON; @file or -'),
    followUp: text('--follow-up <text>', 'what should come next'),
    confidence: numeric('--confidence <number>', 'from 0 to 1', { min: 0, max: 1 }),
  },
  async run(context, { summary }, { status, result, followUp, confidence }) {
    const door = getDoor(context, '`baton task done`');
    const whole = result === undefined ? undefined : await parseResult(result, context);
    const body: TaskResult = {
      ...(whole ?? { status: 'success', summary: '' }),
      ...(status === undefined ? {} : { status }),
      ...(summary === undefined ? {} : { summary }),
      ...(followUp === undefined ? {} : { follow_up: followUp }),
      ...(confidence === undefined ? {} : { confidence }),
    };
    const handed = await door.complete(body);
    return { json: { state: handed.state, result: body }, text: show`handed in: ${body.status}` };
  },
});

async function parseResult(text: string, { cwd, input }: Context): Promise<TaskResult> {
  let value: unknown;
  try {
    value = JSON.parse(await readText(text, cwd, input));
  } catch (error) {
    if (error instanceof SyntaxError) throw usage('--result is not JSON.');
    throw error;
  }
  const parsed = taskResult.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw usage(`--result is not a result. ${faults.join('. ')}.`);
}
