/** Waits between tries: `minMs * 2^n`, at most `maxMs`, each up to a quarter shorter at random. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/** The wait before try `n + 1`, where `n` counts failures from 0. `random` is in [0, 1). */
export function backoffMs(backoff: Backoff, n: number, random: number): number {
  const fullMs = Math.min(backoff.minMs * 2 ** Math.min(n, 30), backoff.maxMs);
  return Math.round(fullMs * (1 - random / 4));
}

/** Resolves after `ms`. @throws the signal's reason when it fires first. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(reasonOf(signal));
      return;
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    const abort = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}
