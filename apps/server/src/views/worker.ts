import { DEFAULTS, type Worker, type WorkerStatus } from '@baton/contract';
import type { WorkerRow } from '@baton/kernel';
import type { WorkerRead } from '@baton/store';
import { isoOf, isoOrNull } from './instant.ts';

/** A worker as clients see it. */
export function workerView({ worker, attempts }: WorkerRead, nowMs: number): Worker {
  return {
    id: worker.id,
    project: worker.projectId,
    name: worker.name,
    status: workerStatus(worker, attempts.length, nowMs),
    labels: { ...worker.labels },
    capabilities: worker.capabilities,
    slots: worker.slots,
    slots_used: attempts.length,
    draining: worker.draining,
    ephemeral: worker.ephemeral,
    version: worker.version,
    attempts: [...attempts],
    registered_at: isoOf(worker.registeredAtMs),
    last_seen_at: isoOrNull(worker.lastSeenAtMs),
  };
}

/** Derived from the last beat: 30 s of silence, 90 s of absence; a full worker is busy. */
export function workerStatus(worker: WorkerRow, used: number, nowMs: number): WorkerStatus {
  const silence = nowMs - (worker.lastSeenAtMs ?? 0);
  if (silence > DEFAULTS.offlineSeconds * 1_000) return 'offline';
  if (silence > DEFAULTS.silentSeconds * 1_000) return 'silent';
  if (worker.draining || worker.leaving) return 'draining';
  return used >= worker.slots ? 'busy' : 'online';
}
