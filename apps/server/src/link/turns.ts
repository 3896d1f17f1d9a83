/**
 * Runs tasks of one key one after another and those of different keys side by side. Keys that are done
 * leave nothing behind.
 */
export interface Turns {
  run(key: string, task: () => Promise<void>): void;
  /** Tasks that wait or run. */
  readonly waiting: number;
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>;
}

/** `onDone` is called after each task; tasks must not reject. */
export function createTurns(onDone: () => void): Turns {
  const tails = new Map<string, Promise<void>>();
  let waiting = 0;
  return {
    run(key, task) {
      waiting++;
      const tail = (tails.get(key) ?? Promise.resolve()).then(task).finally(() => {
        waiting--;
        if (tails.get(key) === tail) tails.delete(key);
        onDone();
      });
      tails.set(key, tail);
    },
    get waiting() {
      return waiting;
    },
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}
