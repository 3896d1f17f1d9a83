import type { LogStream, ServerFrame } from '@baton/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from '../link/link.ts';

/** A growing sequence of bytes that can be read from any offset. */
export interface LogSource {
  /** Empty when there is nothing at `offset` yet; `isComplete`: nothing will come after what was read. */
  read(
    offset: number,
    bytesMax: number,
  ): Promise<{ readonly data: Uint8Array; readonly isComplete: boolean }>;
}

export interface LogShipper {
  /** Resolves once every byte is stored at the control plane, or it takes no more of this attempt. */
  readonly done: Promise<void>;
  acknowledged(ack: Extract<ServerFrame, { type: 'log_ack' }>): void;
  stop(): void;
}

const chunkBytes = 48 * 1024;
const windowBytes = 512 * 1024;
const idleMs = 100;
/** Without an acknowledgement for this long, what is open is sent again. */
const resendMs = 10_000;

/**
 * Ships one stream of one attempt by offset. It first asks (with no bytes at offset 0) how much is
 * stored, so that a restart sends nothing twice; an overlap would be cut there anyway.
 */
export function shipLog(
  link: Link,
  what: { readonly attempt: string; readonly epoch: number; readonly stream: LogStream },
  source: LogSource,
): LogShipper {
  let sent = 0;
  let stored: number | undefined;
  let isStopped = false;
  let progressAtMs = performance.now();
  let wake = (): void => undefined;

  const nap = async (): Promise<void> => {
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const timer = new AbortController();
    await Promise.race([woken, sleep(idleMs, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
  };

  async function run(): Promise<void> {
    while (!isStopped) {
      if (performance.now() - progressAtMs > resendMs && sent > (stored ?? 0)) {
        sent = stored ?? 0;
        progressAtMs = performance.now();
      }
      if (stored === undefined) {
        link.sendLog({ ...what, offset: 0, data: new Uint8Array() });
        await nap();
        continue;
      }
      const { data, isComplete } = await source.read(sent, chunkBytes);
      if (isComplete && data.byteLength === 0 && stored >= sent) return;
      const mayGo = data.byteLength > 0 && sent - stored < windowBytes;
      if (mayGo && link.sendLog({ ...what, offset: sent, data })) sent += data.byteLength;
      else await nap();
    }
  }

  return {
    done: run(),
    acknowledged(ack) {
      progressAtMs = performance.now();
      if (ack.error !== null && !ack.error.retry) isStopped = true;
      const before = stored;
      stored = Math.max(ack.next_offset, stored ?? 0);
      if (before === undefined || ack.next_offset < sent - windowBytes) sent = Math.max(stored, 0);
      if (sent < stored) sent = stored;
      wake();
    },
    stop() {
      isStopped = true;
      wake();
    },
  };
}
