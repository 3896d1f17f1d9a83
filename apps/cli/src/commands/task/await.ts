import type { AwaitResult } from '@baton/contract';
import { getDoor } from '../../attempt/door.ts';
import { command, rest } from '../../command.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { flag, numeric, usage } from '../../option.ts';
import { statusText } from '../../terminal/status-text.ts';
import { show, stack, type Shown } from '../../terminal/shown.ts';

export const taskAwait = command({
  name: ['task', 'await'],
  summary: 'wait for children by ending the turn, for an agent inside its attempt',
  details: [
    'No ids: all children that are at work. What has come to pass already is answered at once. Else end',
    'your turn: your slot is free meanwhile, and you are resumed in this conversation with what they came',
    'to (a script is started again and finds it in the file $BATON_WAKE). After --timeout you are resumed',
    'with what has arrived, marked partial.',
  ].join(' '),
  examples: ['baton task await', 'baton task await tests docs --any --timeout 600'],
  arguments: { tasks: rest('ids or keys of children') },
  options: {
    any: flag('--any', 'one is enough'),
    quorum: numeric('--quorum <number>', 'so many are enough', { min: 1 }),
    timeout: numeric('--timeout <seconds>', 'wait so long at most (default 3600)', { min: 0 }),
  },
  async run(context, { tasks }, { any, quorum, timeout }) {
    const door = getDoor(context, '`baton task await`');
    if (any && quorum !== undefined) throw usage('Give --any or --quorum, not both.');
    const answer = await door.awaitOthers({
      ids: [...tasks],
      policy: quorum !== undefined ? 'quorum' : any ? 'any' : 'all',
      ...(quorum === undefined ? {} : { quorum }),
      ...(timeout === undefined ? {} : { timeout }),
    });
    if (answer === undefined) {
      return {
        json: { pending: true },
        text: show`The control plane cannot be reached now. Say it again later.`,
        exitCode: EXIT_CODES.timeout.code,
      };
    }
    if (answer.yield) {
      return {
        json: answer,
        text: show`End your turn now: you are resumed with the results, in this conversation.`,
      };
    }
    return { json: answer, text: resultsText(answer.results) };
  },
});

function resultsText(results: readonly AwaitResult[]): Shown {
  if (results.length === 0) return show`Nothing is at work that could be awaited.`;
  return stack(
    ...results.map((it) => {
      const said = it.summary === '' ? (it.reason ?? '') : it.summary;
      return show`${it.key} (${it.task}) ${statusText(it.status)}${said === '' ? '' : `: ${said}`}`;
    }),
  );
}
