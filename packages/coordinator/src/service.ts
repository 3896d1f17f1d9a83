/** Everything long-lived has this shape. The constructor takes what it needs and does nothing else. */
export interface Service {
  readonly name: string;
  /** Resolves when ready to work. Rejects if it cannot start; then `stop` need not be called. */
  start(signal: AbortSignal): Promise<void>;
  /** Idempotent; resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** A service that does a bounded piece of work again and again, on a timer and on a nudge. */
export interface Reconciler extends Service {
  /** One pass. Idempotent; takes no hint. Resolves to how much it found to do. */
  runOnce(): Promise<number>;
  /** Asks for a pass soon. */
  nudge(): void;
}
