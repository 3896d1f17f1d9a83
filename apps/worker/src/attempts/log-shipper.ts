import type { LogStream, ServerFrame } from '@baton/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from '../link/link.ts';
import type { LogSource } from './log-source.ts';

/** One stream on its way to the control plane. */
export interface LogShipper {
  readonly stream: LogStream;
  /** Resolves once every byte is stored at the control plane, or it takes no more of this attempt. */
  readonly done: Promise<void>;
  acknowledged(ack: Extract<ServerFrame, { type: 'log_ack' }>): void;
  /** There may be more to send. */
  wake(): void;
  /** A new connection: what was on its way on the old one is not any more. */
  reconnected(): void;
  stop(): void;
}

const chunkBytes = 48 * 1024;
const windowBytes = 512 * 1024;
/** Its owner wakes it when there is more; this is for what no one tells. */
const idleMs = 2_000;
/** While the link is down or full. */
const busyMs = 50;
/** Without an acknowledgement for this long, what is open is sent again. */
const resendMs = 5_000;
/** After a failure of the control plane, before the same is sent again. */
const failureMs = 1_000;

interface Line {
  readonly attempt: string;
  readonly epoch: number;
  readonly stream: LogStream;
}

/**
 * Ships one stream of one attempt by offset. It first asks (with no bytes at offset 0) how much is
 * stored, so that a restart sends nothing twice; an overlap would be cut there anyway.
 */
export function shipLog(link: Link, line: Line, source: LogSource): LogShipper {
  const state = new Progress();
  let isStopped = false;
  let isWoken = false;
  let wakeUp = (): void => undefined;

  async function nap(ms: number): Promise<void> {
    if (isWoken || ms === 0) return;
    const timer = new AbortController();
    const woken = new Promise<void>((resolve) => (wakeUp = resolve));
    const late = sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([woken, late]);
    timer.abort();
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      isWoken = false;
      await nap(await step());
    }
  }

  /** Sends a piece if it can; answers how long to wait before the next. */
  async function step(): Promise<number> {
    state.resendLate();
    if (state.stored === undefined) {
      const isAsked = state.isAsked || link.sendLog({ ...line, offset: 0, data: new Uint8Array() });
      if (isAsked) state.asked();
      return isAsked ? resendMs : busyMs;
    }
    if (state.pauseMs > 0) return state.pauseMs;
    const { sent } = state;
    if (sent - state.stored >= windowBytes) return resendMs;
    const { data, isComplete } = await source.read(sent, chunkBytes);
    if (isStopped || sent !== state.sent) return 0;
    if (data.byteLength === 0) {
      if (isComplete && state.stored >= sent) isStopped = true;
      return isStopped ? 0 : idleMs;
    }
    if (!link.sendLog({ ...line, offset: sent, data })) return busyMs;
    state.sent += data.byteLength;
    return 0;
  }

  function wake(): void {
    isWoken = true;
    wakeUp();
  }

  return {
    stream: line.stream,
    done: run(),
    wake,
    acknowledged(ack) {
      if (ack.error !== null && !ack.error.retry) isStopped = true;
      else if (ack.error !== null) state.failed();
      else state.acknowledged(ack.next_offset);
      wake();
    },
    reconnected() {
      state.reconnected();
      wake();
    },
    stop() {
      isStopped = true;
      wake();
    },
  };
}

/** What is stored there and what is on its way. */
class Progress {
  /** Undefined until the control plane has said it. */
  stored: number | undefined;
  sent = 0;
  isAsked = false;
  #heardAtMs = performance.now();
  #pausedUntilMs = 0;
  /** Where sending began again for want of an answer that goes on from here. */
  #wentBackTo: number | undefined;

  get pauseMs(): number {
    return Math.max(0, this.#pausedUntilMs - performance.now());
  }

  asked(): void {
    if (!this.isAsked) this.#heardAtMs = performance.now();
    this.isAsked = true;
  }

  acknowledged(nextOffset: number): void {
    this.#heardAtMs = performance.now();
    const before = this.stored;
    this.stored = Math.max(nextOffset, before ?? 0);
    if (before === undefined) this.sent = this.stored;
    if (this.sent < this.stored) this.sent = this.stored;
    if (before === undefined || this.stored > before) this.#wentBackTo = undefined;
    // Nothing new was stored although more was sent: a piece is missing. Said once for each place,
    // because every piece behind it is answered in the same way.
    else if (this.sent > this.stored && this.#wentBackTo !== this.stored) this.#goBack();
  }

  /** The control plane could not store a piece just now. */
  failed(): void {
    this.#heardAtMs = performance.now();
    this.#pausedUntilMs = performance.now() + failureMs;
    this.#goBack();
  }

  reconnected(): void {
    this.isAsked = false;
    this.#heardAtMs = performance.now();
    this.#pausedUntilMs = 0;
    this.sent = this.stored ?? 0;
    this.#wentBackTo = undefined;
  }

  resendLate(): void {
    if (performance.now() - this.#heardAtMs < resendMs) return;
    this.#heardAtMs = performance.now();
    this.isAsked = false;
    this.sent = this.stored ?? 0;
  }

  #goBack(): void {
    this.#wentBackTo = this.stored;
    this.sent = this.stored ?? 0;
  }
}
