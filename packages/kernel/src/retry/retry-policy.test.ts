import { FAILURE_CLASSES, retryPolicy } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import {
  backoffMs,
  decideRetry,
  RETRY_RULES,
  type EndCause,
  type RetryFacts,
} from './retry-policy.ts';

function decideFor(cause: EndCause, more: Partial<RetryFacts> = {}) {
  return decideRetry({
    cause,
    policy: retryPolicy.parse({ max_attempts: 3 }),
    attemptCount: 1,
    freeRetries: 0,
    retryAtMs: null,
    nowMs: 1_000,
    random: 0,
    ...more,
  });
}
const fails = { kind: 'fail', isPoison: false };

describe('what becomes of a task after an attempt that did not finish it', () => {
  test('there is a rule for every class of failure', () => {
    expect(Object.keys(RETRY_RULES).sort()).toEqual([...FAILURE_CLASSES, 'released'].sort());
  });

  test.each<[EndCause]>([
    ['auth'],
    ['quota'],
    ['budget'],
    ['contract_violation'],
    ['verification_rejected'],
    ['cancelled'],
  ])('%s never retries by itself', (cause) => {
    expect(decideFor(cause)).toEqual(fails);
  });

  test.each<[EndCause]>([['agent_error'], ['timeout'], ['idle_timeout'], ['internal']])(
    '%s is tried again after a backoff, up to the maximum',
    (cause) => {
      expect(decideFor(cause)).toEqual({
        kind: 'offer',
        counted: true,
        hold: { held: 'backoff', untilMs: 11_000 },
      });
      expect(decideFor(cause, { attemptCount: 3 })).toEqual(fails);
    },
  );

  test.each<[EndCause]>([['lost'], ['released']])('%s is offered again at once', (cause) => {
    const free = { kind: 'offer', counted: false, hold: null };
    expect(decideFor(cause)).toEqual(free);
    expect(decideFor(cause, { attemptCount: 3 })).toEqual(free);
  });

  test('a workspace or environment that failed rests longer each time', () => {
    expect(decideFor('workspace')).toMatchObject({ counted: false, hold: { untilMs: 2_000 } });
    expect(decideFor('environment', { freeRetries: 3 })).toMatchObject({
      hold: { untilMs: 9_000 },
    });
  });

  test('a rate limit waits for its reset, or a minute when it did not say', () => {
    expect(decideFor('rate_limited', { retryAtMs: 5_000 })).toMatchObject({
      counted: false,
      hold: { held: 'rate_limited', untilMs: 5_000 },
    });
    expect(decideFor('rate_limited')).toMatchObject({ hold: { untilMs: 61_000 } });
    expect(decideFor('rate_limited', { retryAtMs: 500 })).toMatchObject({ hold: null });
  });

  test('five in a row without progress are poison', () => {
    expect(decideFor('lost', { freeRetries: 3 })).toMatchObject({ kind: 'offer' });
    expect(decideFor('lost', { freeRetries: 4 })).toEqual({ kind: 'fail', isPoison: true });
  });

  test('only the classes that a policy names are tried again, if it names any', () => {
    const policy = retryPolicy.parse({ max_attempts: 3, on: ['timeout'] });
    expect(decideFor('timeout', { policy })).toMatchObject({ kind: 'offer' });
    expect(decideFor('agent_error', { policy })).toEqual(fails);
    expect(decideFor('lost', { policy })).toMatchObject({ kind: 'offer', counted: false });
  });

  test('the backoff grows by its factor up to its maximum, and a little at random', () => {
    const policy = retryPolicy.parse({
      max_attempts: 9,
      backoff_seconds: 2,
      factor: 3,
      max_backoff_seconds: 30,
    });
    expect([1, 2, 3, 4].map((attempt) => backoffMs(policy, attempt))).toEqual([
      2_000, 6_000, 18_000, 30_000,
    ]);
    expect(decideFor('timeout', { policy, random: 0.5 })).toMatchObject({
      hold: { untilMs: 3_100 },
    });
    const none = retryPolicy.parse({ max_attempts: 9, backoff_seconds: 0 });
    expect(decideFor('timeout', { policy: none })).toMatchObject({ kind: 'offer', hold: null });
  });
});
