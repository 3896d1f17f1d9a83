import type { AttemptStatus } from '@baton/contract';
import { invariant } from '../invariant.ts';

/**
 * What may happen to an attempt. `stop` is the server ending it while its process is perhaps alive;
 * a stopping one closes as what it was stopped for, whatever its process reports.
 */
export const ATTEMPT_INPUTS = [
  'start',
  'park',
  'resume',
  'succeed',
  'fail',
  'lose',
  'release',
  'stop',
  'stopped',
] as const;
export type AttemptInput = (typeof ATTEMPT_INPUTS)[number];

/** Where an attempt may go on an input; empty: refused. */
export type AttemptMachine = {
  readonly [S in AttemptStatus]: { readonly [I in AttemptInput]: readonly AttemptStatus[] };
};

const refused: readonly AttemptStatus[] = [];
const ended = {
  start: refused,
  park: refused,
  resume: refused,
  succeed: refused,
  fail: refused,
  lose: refused,
  release: refused,
  stop: refused,
  stopped: refused,
} as const;

/** Every status by every input: adding either without a rule does not compile. */
export const ATTEMPT_MACHINE: AttemptMachine = {
  claimed: {
    start: ['running'],
    park: refused,
    resume: refused,
    succeed: ['succeeded'],
    fail: ['failed'],
    lose: ['lost'],
    release: ['released'],
    stop: ['stopping'],
    stopped: refused,
  },
  running: {
    start: refused,
    park: ['parked'],
    resume: refused,
    succeed: ['succeeded'],
    fail: ['failed'],
    lose: ['lost'],
    release: ['released'],
    stop: ['stopping'],
    stopped: refused,
  },
  parked: {
    start: refused,
    park: refused,
    resume: ['running'],
    succeed: ['succeeded'],
    fail: ['failed'],
    lose: ['lost'],
    release: ['released'],
    stop: ['stopping'],
    stopped: refused,
  },
  stopping: {
    start: refused,
    park: refused,
    resume: refused,
    succeed: refused,
    fail: refused,
    lose: refused,
    release: refused,
    stop: refused,
    stopped: ['cancelled', 'timed_out', 'released'],
  },
  succeeded: ended,
  failed: ended,
  lost: ended,
  timed_out: ended,
  cancelled: ended,
  released: ended,
};

/** The status an attempt takes. Throws when the table forbids it: whoever asks has checked before. */
export function nextAttemptStatus(
  from: AttemptStatus,
  input: AttemptInput,
  to: AttemptStatus,
): AttemptStatus {
  invariant(
    ATTEMPT_MACHINE[from][input].includes(to),
    `an attempt may not ${input} ${from} -> ${to}`,
  );
  return to;
}
