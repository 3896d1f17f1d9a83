/** The database's time as this process last saw it; never goes back. */
export interface Clock {
  /** Takes a reading of the database's clock, epoch milliseconds; answers one not before the last. */
  observe(databaseMs: number): number;
  /** The database's time for a decision, without asking it; no later answer is before it. */
  readonly estimate: () => number;
  /** The database's time now, as far as can be told without asking it. */
  readonly nowMs: () => number;
}

/** A clock that continues the last reading by this process's monotonic time. */
export function createClock(monotonicMs: () => number): Clock {
  let readingMs = 0;
  let takenAtMs = 0;
  /** The latest that was answered for a decision. */
  let givenMs = 0;
  const nowMs = (): number => Math.floor(readingMs + (monotonicMs() - takenAtMs));
  return {
    observe(databaseMs) {
      readingMs = Math.max(databaseMs, givenMs);
      takenAtMs = monotonicMs();
      givenMs = readingMs;
      return readingMs;
    },
    estimate() {
      givenMs = Math.max(nowMs(), givenMs);
      return givenMs;
    },
    nowMs,
  };
}
