/** Runs work at most once per key and span of time, however often it is asked for. */
export interface Coalescer {
  /** Runs `work` after `ms`, unless work under this key is waiting already. */
  soon(key: string, ms: number, work: () => void): void;
  /** Drops everything that waits. */
  clear(): void;
}

export function createCoalescer(): Coalescer {
  const waiting = new Map<string, ReturnType<typeof setTimeout>>();
  return {
    soon(key, ms, work) {
      if (waiting.has(key)) return;
      const timer = setTimeout(() => {
        waiting.delete(key);
        work();
      }, ms);
      waiting.set(key, timer);
    },
    clear() {
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}
