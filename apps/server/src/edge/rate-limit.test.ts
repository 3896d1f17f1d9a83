import { describe, expect, test } from 'vitest';
import { rateLimit } from './rate-limit.ts';

describe('the rate limit', () => {
  test('lets a second’s worth through at once, then refuses until it has refilled', () => {
    let now = 0;
    const limit = rateLimit(10, () => now);
    for (let i = 0; i < 10; i++) limit.take('a');
    expect(() => limit.take('a')).toThrow('More than 10 requests');
    now += 100;
    limit.take('a');
    expect(() => limit.take('a')).toThrow('More than 10 requests');
  });

  test('counts each key for itself', () => {
    const limit = rateLimit(1, () => 0);
    limit.take('a');
    limit.take('b');
    expect(() => limit.take('a')).toThrow('More than 1');
  });

  test('survives a clock that goes back', () => {
    let now = 10_000;
    const limit = rateLimit(2, () => now);
    limit.take('a');
    now = 0;
    limit.take('a');
    expect(() => limit.take('a')).toThrow('More than 2');
  });
});
