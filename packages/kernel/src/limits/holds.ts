import type { Draft } from '../draft.ts';
import { lists, rows } from '../need.ts';
import type { AttemptRow } from '../rows.ts';
import { withAttempt } from '../rows/changed-row.ts';
import type { Gates } from './gates.ts';
import { tatAfterStart } from './rate.ts';

/** Takes what a new attempt counts against. Answers the ids of its places. */
export function takePlaces(
  draft: Draft,
  gates: Gates,
  keys: readonly string[],
  attempt: Pick<AttemptRow, 'id' | 'taskId'>,
): string[] {
  const { slots, rates } = gates.take(keys);
  for (const slot of slots) {
    draft.put('limitSlots', { ...slot, attemptId: attempt.id, taskId: attempt.taskId });
  }
  for (const limit of rates) {
    const used = { ...limit, tat: tatAfterStart(limit, draft.nowMs) };
    gates.put(used);
    draft.put('limits', used);
  }
  return slots.map((it) => it.id);
}

/**
 * Gives back what an attempt counted against; it holds nothing afterwards. Under a limit that was
 * lowered below what runs, it makes up for one that is beyond it, and nobody may start in its place.
 */
export function releasePlaces(draft: Draft, attempt: AttemptRow): AttemptRow {
  const { holds } = attempt;
  if (holds === null || holds.slots.length === 0) return attempt;
  draft.load([
    ...rows('limitSlots', holds.slots),
    ...lists('surplusOfLimit', limitsOf(holds.slots)),
  ]);
  for (const id of holds.slots) {
    const slot = draft.find('limitSlots', id);
    if (slot?.attemptId !== attempt.id) continue;
    const [beyond] = slot.surplus ? [] : draft.list('surplusOfLimit', slot.limitId);
    if (beyond !== undefined) draft.put('limitSlots', { ...beyond, surplus: false });
    if (slot.surplus || beyond !== undefined) draft.remove('limitSlots', id);
    else draft.put('limitSlots', { ...slot, attemptId: '', taskId: '' });
  }
  return withAttempt(attempt, { holds: { ...holds, slots: [] } });
}

/** The limits that places are of. */
export function limitsOf(slots: readonly string[]): string[] {
  return slots.map((id) => id.slice(0, id.lastIndexOf('#')));
}
