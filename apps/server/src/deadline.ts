/** Ends a wait: `signal` fires after a time, or with one of the signals it was given. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** To be called when nobody waits any more. */
  clear(): void;
}

/**
 * A wait of at most `waitMs`. By a timer of its own: `AbortSignal.timeout` within `AbortSignal.any` is
 * held by nothing in Node 20, and never fires once it was garbage collected.
 */
export function startDeadline(waitMs: number, signals: readonly AbortSignal[]): Deadline {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), waitMs);
  return {
    signal: AbortSignal.any([...signals, late.signal]),
    clear: () => clearTimeout(timer),
  };
}
