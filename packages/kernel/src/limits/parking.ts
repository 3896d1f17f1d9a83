import { isoOf } from '../iso-time.ts';
import { aboutAttempt } from '../attempt/close-attempt.ts';
import type { Draft } from '../draft.ts';
import { fits } from '../matching/fits.ts';
import { list, row } from '../need.ts';
import type { AttemptRow, ParkingRow, TaskRow } from '../rows.ts';
import { accountOf, Gates } from './gates.ts';

/**
 * A provider refuses the account of an attempt until an instant: nothing of that engine is started for
 * it before. Without a known account it is the worker's own; others find out for themselves.
 */
export function parkEngine(
  draft: Draft,
  attempt: AttemptRow,
  untilMs: number,
  reason: string,
): void {
  const { projectId, engine, workerId } = attempt;
  draft.load([list('parkingsOfProject', projectId), row('workers', workerId)]);
  const worker = draft.find('workers', workerId);
  const account = worker === null ? null : accountOf(worker, engine);
  const id = `${projectId}/${engine}/${account ?? workerId}`;
  const before = draft.find('parkings', id);
  if (before !== null && before.untilMs >= untilMs) return;
  const parking: ParkingRow = { id, projectId, engine, account, workerId, untilMs, reason };
  draft.put('parkings', parking);
  draft.event('engine.parked', aboutAttempt(attempt), {
    engine,
    account,
    worker: workerId,
    worker_name: worker?.name ?? null,
    until: isoOf(untilMs),
    reason,
  });
}

/** Takes away what providers refused until now. */
export function unparkEngines(draft: Draft, parkings: readonly ParkingRow[]): void {
  for (const parking of parkings) {
    if (parking.untilMs > draft.nowMs) continue;
    draft.remove('parkings', parking.id);
    const { engine, account, workerId: worker } = parking;
    draft.event('engine.unparked', { run: null }, { engine, account, worker });
  }
}

/**
 * When a task can go on that a provider refused: null is at once, because another account, worker or
 * engine can do it; else the instant at which the first of those that could do it opens.
 */
export function goesOnAtMs(draft: Draft, task: TaskRow, untilMs: number): number | null {
  draft.load([
    list('workersOfProject', task.projectId),
    list('parkingsOfProject', task.projectId),
    row('needs', task.needsId),
  ]);
  const parkings = draft.list('parkingsOfProject', task.projectId);
  const gates = new Gates({ limits: [], freeSlots: [], parkings }, draft.nowMs);
  const { needs } = draft.get('needs', task.needsId);
  let firstMs = untilMs;
  for (const worker of draft.list('workersOfProject', task.projectId)) {
    if (worker.presence === 'offline' || worker.draining || !fits(needs, worker)) continue;
    const now = gates.engineNow(needs, worker);
    if (now === null) continue;
    if ('engine' in now) return null;
    if (now.untilMs !== null) firstMs = Math.min(firstMs, now.untilMs);
  }
  return firstMs;
}
