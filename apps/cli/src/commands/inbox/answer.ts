import { command, id, rest } from '../../command.ts';
import { flag, text } from '../../option.ts';
import { decisionOf } from '../../resolve/decision.ts';
import { decisionText } from '../../views/checkpoint-view.ts';

export const inboxAnswer = command({
  name: ['inbox', 'answer'],
  summary: 'decide what waits for a person',
  examples: ['baton inbox answer chk_01h... approve', 'baton inbox answer chk_01h... --default'],
  arguments: {
    checkpoint: id('id of the checkpoint, or a unique prefix'),
    answer: rest('one of the options, or free text'),
  },
  options: {
    default: flag('--default', 'take the default option'),
    text: flag('--text', 'the answer is free text although it reads like an option'),
    reason: text('--reason <text>', 'why; kept in the history'),
  },
  async run({ client }, { checkpoint, answer }, options) {
    const found = await client().checkpoints.get(checkpoint);
    const decision = decisionOf(answer.join(' '), found.options, options);
    // What was read just now is what is decided, and nothing that comes in its place.
    const facts = found.facts_sha256 === null ? {} : { facts_sha256: found.facts_sha256 };
    const decided = await client().checkpoints.resolve(found.id, { ...decision, ...facts });
    return { json: decided, text: decisionText(decided) };
  },
});
