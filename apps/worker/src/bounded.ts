import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for `work`, but no longer than `msMax`, nor after `signal`. */
export async function bounded(
  work: Promise<unknown>,
  msMax: number,
  signal?: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const signals = signal === undefined ? [over.signal] : [over.signal, signal];
  const late = sleep(msMax, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined);
  await Promise.race([work, late]);
  over.abort();
}
