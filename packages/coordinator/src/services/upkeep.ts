import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';

const lookMs = 5_000;
/** Less than this between two looks is idleness: leases of a few workers, and nothing else. */
const idleBytesMax = 128 * 1024;
/** So much is worth a vacuum and a checkpoint as soon as there is nothing else to do. */
const worthBytes = 1024 * 1024;
/** What is less waits for this long. */
const restMs = 10 * 60_000;
/** So much, or for so long, and it is done although there is work: tables and log would grow on. */
const busyBytesMax = 64 * 1024 * 1024;
const busyMsMax = 30 * 60_000;

interface UpkeepPorts extends Pick<ServicePorts, 'log' | 'runtime'> {
  readonly store: Pick<ServicePorts['store'], 'findWrittenBytes' | 'maintain'>;
}

/**
 * Vacuum and checkpoint of the embedded database, which does neither by itself: when it is idle and
 * enough was written since the last time, and under load before too much was. What nobody writes to is
 * left alone. A server looks after itself.
 */
export function createUpkeep({ store, runtime, log }: UpkeepPorts): Reconciler {
  let seenBytes: number | undefined;
  /** How far it had written, and when, at the last upkeep. */
  let doneBytes = 0;
  let doneAtMs = 0;

  async function runOnce(): Promise<number> {
    const bytes = await store.findWrittenBytes?.();
    if (bytes === undefined) return 0;
    const nowMs = runtime.monotonicMs();
    if (seenBytes === undefined) {
      [seenBytes, doneBytes, doneAtMs] = [bytes, bytes, nowMs];
      return 0;
    }
    const isIdle = bytes - seenBytes < idleBytesMax;
    seenBytes = bytes;
    const written = bytes - doneBytes;
    const sinceMs = nowMs - doneAtMs;
    const isWorth = isIdle && (written >= worthBytes || (written > 0 && sinceMs >= restMs));
    const isNeeded = written >= busyBytesMax || (written > 0 && sinceMs >= busyMsMax);
    if (!isWorth && !isNeeded) return 0;
    const startedMs = runtime.monotonicMs();
    await store.maintain();
    seenBytes = (await store.findWrittenBytes?.()) ?? bytes;
    [doneBytes, doneAtMs] = [seenBytes, runtime.monotonicMs()];
    log.debug({ written, isIdle, ms: doneAtMs - startedMs }, 'vacuum and checkpoint');
    return 1;
  }

  return createReconciler({ name: 'upkeep', intervalMs: lookMs, ports: { log, runtime }, runOnce });
}
