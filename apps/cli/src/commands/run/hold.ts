import { command, id, rest } from '../../command.ts';
import { choice, numeric, text, texts, usage } from '../../option.ts';
import { show } from '../../terminal/shown.ts';

export const runHold = command({
  name: ['run', 'hold'],
  summary: 'put up a barrier: nothing more of a run starts until a question is decided',
  details:
    'What runs goes on to its next stop. A run has one barrier at a time; decide it in the inbox.',
  examples: ['baton run hold run_01h... "The design is done. Go on?" --option yes --option no'],
  arguments: { run: id('id of a run, or a unique prefix'), question: rest('the question') },
  options: {
    option: texts('--option <text>', 'an answer to choose from'),
    default: text('--default <option>', 'what is taken when nobody answers in time'),
    timeout: numeric('--timeout <seconds>', 'when the barrier ends by itself', { min: 1 }),
    onTimeout: choice('--on-timeout <what>', 'what the deadline does', [
      'use_default',
      'fail',
      'keep_waiting',
    ]),
  },
  async run({ client }, { run, question: words }, options) {
    if (words.length !== 1) throw usage('Put the question in quotes: baton run hold RUN "Go on?".');
    const opened = await client().call('openRunCheckpoint', {
      params: { id: run },
      body: {
        question: words[0] ?? '',
        options: [...options.option],
        ...(options.default === undefined ? {} : { default: options.default }),
        ...(options.timeout === undefined ? {} : { timeout_seconds: options.timeout }),
        ...(options.onTimeout === undefined ? {} : { on_timeout: options.onTimeout }),
      },
    });
    return {
      json: opened,
      text: show`${opened.id} holds the run. Decide it: baton inbox answer ${opened.id} ...`,
    };
  },
});
