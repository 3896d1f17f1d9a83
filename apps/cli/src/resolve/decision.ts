import type { CheckpointResolve } from '@baton/contract';
import { usage } from '../option.ts';

/** How a person said what they decided. */
export interface DecisionFlags {
  readonly default: boolean;
  readonly text: boolean;
  readonly reason: string | undefined;
}

/** An option where the words are one of those offered, else free text. */
export function decisionOf(
  words: string,
  offered: readonly string[],
  flags: DecisionFlags,
): CheckpointResolve {
  const about = { via: 'cli', ...(flags.reason === undefined ? {} : { reason: flags.reason }) };
  if (flags.default) {
    if (words !== '') throw usage('Give an answer or --default, not both.');
    return { use_default: true, ...about };
  }
  if (words === '') {
    const choices = offered.length === 0 ? '' : ` One of: ${offered.join(', ')}.`;
    throw usage(`Say the answer, or --default.${choices}`);
  }
  const option = flags.text ? undefined : optionOf(words, offered);
  return option === undefined ? { text: words, ...about } : { option, ...about };
}

/** The option itself, or the only one that is the same but for upper and lower case. */
function optionOf(words: string, offered: readonly string[]): string | undefined {
  if (offered.includes(words)) return words;
  const alike = offered.filter((option) => option.toLowerCase() === words.toLowerCase());
  return alike.length === 1 ? alike[0] : undefined;
}
