import { ensureMeta, type Db } from '@baton/store';

/** One answer serves everybody who asks within this time: anybody may ask. */
const freshMs = 1_000;

/** Rejects when a write does not work now. */
export function createProbe(db: Db): () => Promise<void> {
  let askedMs = -Infinity;
  let answer: Promise<void> = Promise.resolve();
  return () => {
    const nowMs = performance.now();
    if (nowMs - askedMs > freshMs) {
      askedMs = nowMs;
      // Stores what is stored: a real write, which needs everything that a command needs.
      answer = ensureMeta(db, 'probe', true).then(() => undefined);
      answer.catch(() => undefined);
    }
    return answer;
  };
}
