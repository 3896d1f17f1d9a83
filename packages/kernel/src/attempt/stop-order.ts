import type { AttemptRow } from '../rows.ts';
import { isHeld } from './slots.ts';

/**
 * What a worker is told of an attempt whose process is no longer wanted: `cancel` ends it for good,
 * `yield` ends it to be gone on with later, `hold` keeps it open without a process.
 */
export interface StopOrder {
  readonly attempt: string;
  readonly how: 'cancel' | 'yield' | 'hold';
  readonly reason: string;
}

/** The orders that stand for these attempts: what a worker hears again when the first word was lost. */
export function stopOrders(attempts: readonly AttemptRow[]): readonly StopOrder[] {
  return attempts.flatMap((it): StopOrder[] => {
    const reason = it.reason ?? 'cancelled';
    if (isHeld(it)) return [{ attempt: it.id, how: 'hold', reason }];
    if (it.status !== 'stopping') return [];
    return [{ attempt: it.id, how: isYield(it) ? 'yield' : 'cancel', reason }];
  });
}

/** Whether a stopping attempt is to be gone on with: nothing failed, and nobody gave it up. */
export function isYield(attempt: Pick<AttemptRow, 'failureClass'>): boolean {
  return attempt.failureClass === null;
}
