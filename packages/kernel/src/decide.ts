import type { CommandOf, CommandType } from '@baton/contract';
import type { Handler } from './commands/handler.ts';
import { HANDLERS } from './commands/handlers.ts';
import type { Decide, Reply } from './decision.ts';
import { checkAwaits, noteHumanTurn } from './delegation/awaits.ts';
import { Draft, NotLoaded } from './draft.ts';
import { finishSpending } from './limits/after-spending.ts';
import type { Refused } from './refuse.ts';
import { settleRun } from './run/settle.ts';

/** Decides one command. Asked again with what it needed, it answers; it never asks for the same twice. */
export const decide: Decide = (world, command, context) => {
  try {
    const draft = new Draft(world, context, command);
    const outcome = dispatch(draft, command);
    if ('refused' in outcome) return { kind: 'refused', refusal: outcome.refused };
    noteHumanTurn(draft, command, outcome);
    finishSpending(draft);
    for (const run of draft.touchedRuns) {
      checkAwaits(draft, run);
      settleRun(draft, run);
    }
    return { kind: 'accepted', ...draft.result(), reply: outcome };
  } catch (thrown) {
    if (thrown instanceof NotLoaded) return { kind: 'needs', needs: thrown.needs };
    throw thrown;
  }
};

function dispatch<T extends CommandType>(draft: Draft, command: CommandOf<T>): Reply | Refused {
  const handler: Handler<T> = HANDLERS[command.type as T];
  return handler(draft, command);
}
