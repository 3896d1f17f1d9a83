import { DEFAULTS, type FailureClass, type RetryPolicy } from '@baton/contract';
import type { Hold } from '../task/make-ready.ts';

/** Why an attempt did not finish its task. Handing it back is not a failure and has no class. */
export type EndCause = FailureClass | 'released';

/** What trying again does about a cause: `counted` up to the task's maximum, `free` is not counted. */
export const RETRY_RULES: { readonly [C in EndCause]: 'counted' | 'free' | 'never' } = {
  agent_error: 'counted',
  contract_violation: 'never',
  verification_rejected: 'never',
  timeout: 'counted',
  idle_timeout: 'counted',
  lost: 'free',
  released: 'free',
  rate_limited: 'free',
  workspace: 'free',
  environment: 'free',
  auth: 'never',
  quota: 'never',
  budget: 'never',
  cancelled: 'never',
  internal: 'counted',
};

/** Pause before a workspace or environment that failed is tried again: 1 s, doubled each time. */
const setupPauseMs = 1_000;
/** Pause after a rate limit that did not say when it ends. */
const rateLimitPauseMs = 60_000;
/** Backoff is longer by up to this share, so that tasks that failed together do not return together. */
const jitterShare = 0.1;

export interface RetryFacts {
  readonly cause: EndCause;
  readonly policy: RetryPolicy;
  /** Counted attempts of this generation, the ended one among them. */
  readonly attemptCount: number;
  /** Attempts in a row before this one that were not counted and made no progress. */
  readonly freeRetries: number;
  /** When a provider's limit resets, if it said so. */
  readonly retryAtMs: number | null;
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

/** Whether and when a task is handed out again. */
export type RetryDecision =
  | {
      readonly kind: 'offer';
      readonly counted: boolean;
      readonly hold: { readonly held: Hold; readonly untilMs: number } | null;
    }
  | { readonly kind: 'fail'; readonly isPoison: boolean };

/** Decides what becomes of a task after an attempt that did not finish it. */
export function decideRetry(facts: RetryFacts): RetryDecision {
  const rule = RETRY_RULES[facts.cause];
  if (rule === 'never') return { kind: 'fail', isPoison: false };
  if (rule === 'free') {
    if (facts.freeRetries + 1 >= DEFAULTS.freeRetriesMax) return { kind: 'fail', isPoison: true };
    return { kind: 'offer', counted: false, hold: freeHold(facts) };
  }
  const isListed = facts.policy.on === undefined || facts.policy.on.includes(facts.cause);
  if (!isListed || facts.attemptCount >= facts.policy.max_attempts) {
    return { kind: 'fail', isPoison: false };
  }
  const pauseMs = backoffMs(facts.policy, facts.attemptCount) * (1 + jitterShare * facts.random);
  return {
    kind: 'offer',
    counted: true,
    hold: pauseMs <= 0 ? null : { held: 'backoff', untilMs: Math.round(facts.nowMs + pauseMs) },
  };
}

/** Pause after the n-th counted attempt, without jitter. */
export function backoffMs(policy: RetryPolicy, attempt: number): number {
  const seconds = policy.backoff_seconds * policy.factor ** (attempt - 1);
  return Math.min(seconds, policy.max_backoff_seconds) * 1_000;
}

function freeHold(facts: RetryFacts): { held: Hold; untilMs: number } | null {
  switch (facts.cause) {
    case 'rate_limited': {
      const untilMs = facts.retryAtMs ?? facts.nowMs + rateLimitPauseMs;
      return untilMs > facts.nowMs ? { held: 'rate_limited', untilMs } : null;
    }
    case 'workspace':
    case 'environment':
      return { held: 'backoff', untilMs: facts.nowMs + setupPauseMs * 2 ** facts.freeRetries };
    default:
      return null;
  }
}
