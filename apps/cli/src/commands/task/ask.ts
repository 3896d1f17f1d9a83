import { command, rest, type Answer } from '../../command.ts';
import type { Context } from '../../context.ts';
import { findDoor } from '../../attempt/door.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { numeric, text, texts, usage } from '../../option.ts';
import { resolveTask } from '../../resolve/task-id.ts';
import { show } from '../../terminal/shown.ts';

export const taskAsk = command({
  name: ['task', 'ask'],
  summary: 'ask a person, and wait for the answer',
  details: [
    'Inside an attempt the question is about its own task: the answer is printed alone on standard',
    'output. Asked again in the same words after the call was cut, it gives the same decision.',
    'Elsewhere name the task first; the question is opened on it and its id printed.',
  ].join(' '),
  examples: [
    'baton task ask "JWT or session cookies?" --option jwt --option cookies --default jwt --timeout 600',
    'baton task ask design "Which database?"',
  ],
  arguments: { question: rest('[task] question') },
  options: {
    option: texts('--option <text>', 'an answer to choose from'),
    default: text('--default <option>', 'what is taken when nobody answers in time'),
    timeout: numeric('--timeout <seconds>', 'when the default is taken', { min: 1 }),
    context: text('--context <text>', 'what one must know to answer'),
    wait: numeric('--wait <seconds>', 'stop waiting after this and exit 75; ask again later', {
      min: 0,
    }),
  },
  async run(context, { question: words }, options) {
    const door = findDoor(context);
    if (door === undefined || words.length > 1) return askOther(context, words, options);
    const [question] = words;
    if (question === undefined) throw usage('Say the question: baton task ask "...".');
    context.activity.say('waiting for the answer');
    const decided = await door.ask(
      {
        question,
        options: [...options.option],
        default: options.default,
        timeout_seconds: options.timeout,
        ...(options.context === undefined ? {} : { context: options.context }),
      },
      options.wait === undefined ? Number.POSITIVE_INFINITY : options.wait * 1_000,
    );
    if (decided === undefined) {
      return {
        json: { pending: true },
        text: show`Not answered yet. Ask again in the same words to go on waiting.`,
        exitCode: EXIT_CODES.timeout.code,
      };
    }
    const said = decided.option ?? decided.text ?? options.default ?? '';
    return { json: { answer: said, ...decided }, text: show`${said}` };
  },
});

interface Options {
  readonly option: readonly string[];
  readonly default: string | undefined;
  readonly timeout: number | undefined;
}

async function askOther(
  { client }: Context,
  words: readonly string[],
  options: Options,
): Promise<Answer> {
  const [task, question, more] = words;
  if (task === undefined || question === undefined || more !== undefined) {
    throw usage('Name the task and put the question in quotes: baton task ask TASK "question".');
  }
  const opened = await client().tasks.ask(await resolveTask(client(), task), {
    question,
    options: [...options.option],
    default: options.default,
    timeout_seconds: options.timeout,
  });
  return {
    json: opened,
    text: show`${opened.id} opened. Answer it: baton inbox answer ${opened.id} ...`,
  };
}
