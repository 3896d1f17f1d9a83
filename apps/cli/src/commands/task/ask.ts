import type { CheckpointOpenInput } from '@baton/contract';
import { command, rest, type Answer } from '../../command.ts';
import type { Context } from '../../context.ts';
import { findDoor } from '../../attempt/door.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { choice, flag, numeric, text, texts, usage } from '../../option.ts';
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
    'baton task ask "Which database?" --end-turn',
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
    onTimeout: choice('--on-timeout <what>', 'what the deadline does', [
      'use_default',
      'fail',
      'keep_waiting',
    ]),
    kind: choice('--kind <kind>', 'what is asked for (default: question)', [
      'question',
      'permission',
      'review',
    ]),
    anyone: flag('--anyone', 'another agent may answer too, not only a person'),
    endTurn: flag(
      '--end-turn',
      'do not wait: end your turn now; a new attempt goes on in this conversation with the answer',
    ),
    hold: flag('--hold', 'like --end-turn, and this worker keeps the place for it'),
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
        ...asked(options),
        ...(options.kind === undefined ? {} : { kind: options.kind }),
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
    if (decided.yield) return endTurn(decided.checkpoint);
    const { resolution } = decided;
    const said = resolution.option ?? resolution.text ?? options.default ?? '';
    return { json: { answer: said, ...resolution }, text: show`${said}` };
  },
});

/** What an agent is told whose turn is to end. */
export function endTurn(checkpoint: string): Answer {
  return {
    json: { yield: true, checkpoint },
    text: show`Asked. End your turn now: you are resumed with the answer, in this conversation.`,
  };
}

function asked(options: Options): Omit<CheckpointOpenInput, 'question' | 'kind' | 'client_id'> {
  return {
    options: [...options.option],
    ...(options.default === undefined ? {} : { default: options.default }),
    ...(options.timeout === undefined ? {} : { timeout_seconds: options.timeout }),
    ...(options.context === undefined ? {} : { context: options.context }),
    ...(options.onTimeout === undefined ? {} : { on_timeout: options.onTimeout }),
    ...(options.anyone ? { answer_by: 'any' } : {}),
    ...(options.hold ? { resume: 'held' } : options.endTurn ? { resume: 'new_attempt' } : {}),
  };
}

interface Options {
  readonly option: readonly string[];
  readonly default: string | undefined;
  readonly timeout: number | undefined;
  readonly context: string | undefined;
  readonly onTimeout: 'use_default' | 'fail' | 'keep_waiting' | undefined;
  readonly anyone: boolean;
  readonly endTurn: boolean;
  readonly hold: boolean;
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
  const opened = await client().call('openTaskCheckpoint', {
    params: { id: await resolveTask(client(), task) },
    body: { question, ...asked(options) },
  });
  return {
    json: opened,
    text: show`${opened.id} opened. Answer it: baton inbox answer ${opened.id} ...`,
  };
}
