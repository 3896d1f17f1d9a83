import { refusal } from '@baton/contract';
import type { Refusal } from '@baton/contract';

/** An argument that a task may not add, and why. */
export interface ForbiddenArg {
  readonly pattern: RegExp;
  readonly why: string;
}

/**
 * The first of a task's extra arguments that would widen what the agent may do, or break the way it
 * is read. Tasks are written by models too: rights come from `permissions`, never from arguments.
 */
export function findForbiddenArg(
  engine: string,
  extraArgs: readonly string[],
  forbidden: readonly ForbiddenArg[],
): Refusal | undefined {
  for (const [index, arg] of extraArgs.entries()) {
    // `--flag value` and `--flag=value` are the same.
    const written = `${arg} ${extraArgs[index + 1] ?? ''}`.replace(/^(--?[\w-]+)=/, '$1 ');
    const hit = forbidden.find((rule) => rule.pattern.test(written));
    if (hit !== undefined) {
      return refusal(
        'not_supported',
        `engine ${engine} does not take the extra argument ${arg}: ${hit.why}`,
        { engine, argument: arg },
      );
    }
  }
  return undefined;
}
