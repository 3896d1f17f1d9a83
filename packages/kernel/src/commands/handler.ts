import type { CommandOf, CommandType } from '@baton/contract';
import type { Reply } from '../decision.ts';
import type { Draft } from '../draft.ts';
import type { Refused } from '../refuse.ts';

/** Decides one type of command: writes to the draft and answers, or refuses. */
export type Handler<T extends CommandType> = (
  draft: Draft,
  command: CommandOf<T>,
) => Reply | Refused;
