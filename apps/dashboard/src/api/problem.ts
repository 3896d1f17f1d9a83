import { AppError } from '@baton/contract';
import type { ShownProblem } from '../model/shown-problem.ts';

/** Whatever was thrown, in words and with its code. */
export function problemFrom(error: unknown): ShownProblem {
  if (error instanceof AppError) {
    const { violations } = error.publicDetail;
    return {
      code: error.code,
      text: error.message,
      violations: Array.isArray(violations) ? violations : [],
    };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { code: 'internal', text, violations: [] };
}

/** Whether an error says that nobody is logged in. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unauthenticated';
}
