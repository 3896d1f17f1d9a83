import type { Context } from '../world.ts';
import type { WorkerRow } from '../rows.ts';

/**
 * Why a worker takes no work at all now, whatever it is, in words for people; null: it does. One without
 * a link takes work only while it asks for it over HTTP, which is a sign of life.
 */
export function unavailableBecause(
  worker: WorkerRow,
  { nowMs, silentMs, offlineMs }: Pick<Context, 'nowMs' | 'silentMs' | 'offlineMs'>,
): string | null {
  const silenceMs = nowMs - (worker.lastSeenAtMs ?? worker.registeredAtMs);
  if (silenceMs >= offlineMs) return 'is offline';
  if (silenceMs >= silentMs) return 'is silent';
  if (worker.incarnation === null && worker.presence !== 'online') return 'has no open link';
  if (worker.leaving) return 'is about to end';
  return worker.draining ? 'is draining' : null;
}
