import { AppError } from '@baton/contract';

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A bucket that was not used this long is full again and is forgotten. */
const forgetAfterMs = 10_000;
const bucketsMax = 10_000;

/** Limits how often each key may ask, by a token bucket in memory that holds one second's worth. */
export interface RateLimit {
  /** @throws {AppError} rate_limited */
  take(key: string): void;
}

export function rateLimit(perSecondMax: number, nowMs: () => number): RateLimit {
  const buckets = new Map<string, Bucket>();
  return {
    take(key) {
      const now = nowMs();
      if (buckets.size >= bucketsMax) forgetIdle(buckets, now);
      const bucket = buckets.get(key) ?? { tokens: perSecondMax, atMs: now };
      const refill = (Math.max(0, now - bucket.atMs) / 1_000) * perSecondMax;
      bucket.tokens = Math.min(perSecondMax, bucket.tokens + refill);
      bucket.atMs = now;
      buckets.set(key, bucket);
      if (bucket.tokens < 1) {
        throw new AppError(
          'rate_limited',
          `More than ${perSecondMax} requests in a second; slow down and try again.`,
        );
      }
      bucket.tokens -= 1;
    },
  };
}

function forgetIdle(buckets: Map<string, Bucket>, now: number): void {
  for (const [key, bucket] of buckets) {
    if (now - bucket.atMs > forgetAfterMs) buckets.delete(key);
  }
  // Still full: the oldest goes, which gives one key a full bucket early rather than growing forever.
  const [oldest] = buckets.keys();
  if (buckets.size >= bucketsMax && oldest !== undefined) buckets.delete(oldest);
}
