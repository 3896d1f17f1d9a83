import { LIMITS } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { keysOf, limitId, normaliseKey } from '../limits/limit-keys.ts';
import { list, lists, row, rows } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { AttemptRow, LimitRow, LimitSlotRow } from '../rows.ts';
import { takesSlot } from '../attempt/slots.ts';
import type { Handler } from './handler.ts';

/**
 * Sets what a key allows. There are as many places as may run at a time; what runs already takes them
 * first, also beyond the limit: nothing is stopped, and nothing starts until it is below.
 */
export const limitSet: Handler<'limit.set'> = (draft, command) => {
  const { project, body } = command;
  const key = normaliseKey(command.key);
  const id = limitId(project, key);
  draft.load([
    row('limits', id),
    list('slotsOfLimit', id),
    list('limitsOfProject', project),
    list('workersOfProject', project),
  ]);
  const before = draft.find('limits', id);
  const known = draft.list('limitsOfProject', project).length;
  if (before === null && known >= LIMITS.limitsPerProjectMax) {
    return refuse('limit_exceeded', `A project has at most ${LIMITS.limitsPerProjectMax} limits.`);
  }
  const limit: LimitRow = {
    id,
    projectId: project,
    key,
    maxRunning: body.max_running,
    ratePerMinute: body.rate_per_minute,
    burst: body.burst,
    tat: before?.tat ?? 0,
    // Grows with each change: two that were made at a time are told apart by it.
    updatedAtMs: Math.max(draft.nowMs, (before?.updatedAtMs ?? 0) + 1),
  };
  draft.put('limits', limit);
  if (limit.maxRunning !== null) adopt(draft, limit);
  setPlaces(draft, limit);
  const { max_running, rate_per_minute, burst } = body;
  draft.event('limit.set', { run: null }, { key, max_running, rate_per_minute, burst });
  return {};
};

/** Takes a limit away. Places that are held go when they are given back. */
export const limitRemove: Handler<'limit.remove'> = (draft, command) => {
  const key = normaliseKey(command.key);
  const id = limitId(command.project, key);
  draft.load([row('limits', id), list('slotsOfLimit', id)]);
  const limit = draft.find('limits', id);
  if (limit === null) return refuse('not_found', `There is no limit of ${key}.`);
  setPlaces(draft, { ...limit, maxRunning: null });
  draft.remove('limits', id);
  draft.event('limit.removed', { run: null }, { key });
  return {};
};

/** Brings the places of a limit to their number: what is held stays until it is given back. */
function setPlaces(draft: Draft, limit: LimitRow): void {
  const max = limit.maxRunning ?? 0;
  const numbers = new Set<number>();
  const slots = [...draft.list('slotsOfLimit', limit.id)].sort(heldFirst);
  slots.forEach((slot, at) => {
    numbers.add(slot.no);
    const surplus = at >= max;
    if (surplus && slot.attemptId === '') draft.remove('limitSlots', slot.id);
    else if (surplus !== slot.surplus) draft.put('limitSlots', { ...slot, surplus });
  });
  for (let no = 1, missing = max - slots.length; missing > 0; no++) {
    if (numbers.has(no)) continue;
    draft.put('limitSlots', newSlot(limit, no, null));
    missing -= 1;
  }
}

function heldFirst(a: LimitSlotRow, b: LimitSlotRow): number {
  return Number(a.attemptId === '') - Number(b.attemptId === '') || a.no - b.no;
}

/** What runs under a key that had no places counts from now on. */
function adopt(draft: Draft, limit: LimitRow): void {
  const workers = draft.list('workersOfProject', limit.projectId).map((it) => it.id);
  draft.load(lists('openAttemptsOfWorker', workers));
  const open = workers.flatMap((id) => draft.list('openAttemptsOfWorker', id).filter(takesSlot));
  draft.load(
    rows(
      'taskSpecs',
      open.map((it) => it.taskId),
    ),
  );
  const held = draft.list('slotsOfLimit', limit.id);
  const holders = new Set(held.map((it) => it.attemptId));
  const counts = open.filter((it) => !holders.has(it.id) && countsUnder(draft, it, limit.key));
  let no = Math.max(0, ...held.map((it) => it.no));
  for (const attempt of counts) {
    no += 1;
    const slot = newSlot(limit, no, attempt);
    draft.put('limitSlots', slot);
    const holds = attempt.holds ?? { slots: [], budgets: [], reserved: 0 };
    draft.put('attempts', {
      ...attempt,
      holds: { ...holds, slots: [...holds.slots, slot.id] },
    });
  }
}

function countsUnder(draft: Draft, attempt: AttemptRow, key: string): boolean {
  return keysOf(draft.get('taskSpecs', attempt.taskId).spec, attempt.engine).includes(key);
}

function newSlot(limit: LimitRow, no: number, holder: AttemptRow | null): LimitSlotRow {
  return {
    id: `${limit.id}#${no}`,
    projectId: limit.projectId,
    limitId: limit.id,
    no,
    attemptId: holder?.id ?? '',
    taskId: holder?.taskId ?? '',
    surplus: false,
  };
}
