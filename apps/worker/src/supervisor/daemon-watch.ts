import { renewLease } from './lease-keeper.ts';
import type { ExitReason, Launch } from './records.ts';

/** A fenced agent must be gone within 5 s, so its grace is shorter than that. */
const FENCED_GRACE_MS_MAX = 3_000;

/** Ends the agent; the first reason stands. */
type Stop = (reason: ExitReason, detail: string, graceMs?: number) => void;

/**
 * Whether a daemon is there, from its calls. While none is, it renews the lease of the attempt, ends the
 * agent when the control plane says so, and when nobody came for too long.
 */
export class DaemonWatch {
  readonly #launch: Launch;
  readonly #stop: Stop;
  #seenMs = performance.now();
  #calls = 0;
  #isRenewing = false;
  #renewedMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(launch: Launch, stop: Stop) {
    this.#launch = launch;
    this.#stop = stop;
  }

  start(): void {
    const tickMs = Math.max(20, Math.min(1_000, this.#launch.daemon_silent_ms / 3));
    this.#timer = setInterval(() => void this.#tick(), tickMs);
  }

  /** The agent is being ended or has ended: there is nothing more to watch over. */
  end(): void {
    clearInterval(this.#timer);
  }

  /** Counts a call of the daemon; it is attached while one is open and for a while after. */
  async attached<Result>(call: () => Promise<Result>): Promise<Result> {
    this.#calls += 1;
    try {
      return await call();
    } finally {
      this.#calls -= 1;
      this.#seenMs = performance.now();
    }
  }

  get isAttached(): boolean {
    const silentMs = performance.now() - this.#seenMs;
    return this.#calls > 0 || silentMs < this.#launch.daemon_silent_ms;
  }

  /** Is somebody there? If not, keep the lease, and do not go on for ever. */
  async #tick(): Promise<void> {
    if (this.isAttached) return;
    const { identity, grace_kill_ms: killMs, orphan_timeout_ms: orphanMs } = this.#launch;
    const aloneMs = performance.now() - this.#seenMs;
    if (aloneMs > orphanMs) {
      this.#stop('orphaned', `no daemon for ${Math.round(aloneMs / 1000)} s`);
      return;
    }
    const sinceRenewedMs = performance.now() - this.#renewedMs;
    if (this.#isRenewing || sinceRenewedMs < identity.heartbeat_ms) return;
    this.#isRenewing = true;
    try {
      const answer = await renewLease(identity);
      // ±20 %, so that a fleet that lost its daemons at once does not beat in step.
      const jitterMs = identity.heartbeat_ms * 0.4 * (Math.random() - 0.5);
      this.#renewedMs = performance.now() + jitterMs;
      const graceMs = Math.min(killMs, FENCED_GRACE_MS_MAX);
      if (answer === 'fenced') this.#stop('fenced', 'the control plane refused the epoch', graceMs);
      if (answer === 'cancelled' || answer === 'yielded') this.#stop('stopped', answer);
    } finally {
      this.#isRenewing = false;
    }
  }
}
