/** The database's time as this process last saw it; never goes back. */
export interface Clock {
  /** Takes a reading of the database's clock, epoch milliseconds; answers one not before the last. */
  observe(databaseMs: number): number;
  /** The database's time for a decision, without asking it; no later answer is before it. */
  readonly estimate: () => number;
  /** Whether the last reading is young enough for decisions by an estimate. */
  readonly isFresh: () => boolean;
  /** The database's time now, as far as can be told without asking it. */
  readonly nowMs: () => number;
}

/** Two clocks differ by less than a millisecond after this long, unless one of them jumps. */
const freshMs = 5_000;

/**
 * A clock that continues the last reading by this process's monotonic time. That may stand still while
 * the machine sleeps, which the machine's clock tells.
 */
export function createClock(monotonicMs: () => number, wallMs: () => number): Clock {
  let readingMs = 0;
  let takenAtMs = 0;
  let takenAtWallMs = 0;
  /** The latest that was answered for a decision. */
  let givenMs = 0;
  const nowMs = (): number => Math.floor(readingMs + (monotonicMs() - takenAtMs));
  return {
    observe(databaseMs) {
      readingMs = Math.max(databaseMs, givenMs);
      takenAtMs = monotonicMs();
      takenAtWallMs = wallMs();
      givenMs = readingMs;
      return readingMs;
    },
    estimate() {
      givenMs = Math.max(nowMs(), givenMs);
      return givenMs;
    },
    isFresh: () =>
      monotonicMs() - takenAtMs < freshMs && Math.abs(wallMs() - takenAtWallMs) < freshMs,
    nowMs,
  };
}
