import { holdsSlot } from '@baton/contract';
import type { AttemptRow } from '../rows.ts';

/** Whether an attempt takes one of its worker's slots: a held one has no process and takes none. */
export function takesSlot(attempt: Pick<AttemptRow, 'status' | 'parkMode'>): boolean {
  return holdsSlot(attempt.status) && attempt.parkMode !== 'held';
}

/** Whether an attempt is parked without its process: only its workspace and conversation are kept. */
export function isHeld(attempt: Pick<AttemptRow, 'status' | 'parkMode'>): boolean {
  return attempt.status === 'parked' && attempt.parkMode === 'held';
}
