import type { RunStatus } from '@baton/contract';
import { invariant } from '../invariant.ts';

/**
 * What may happen to a run. `wait` is everything left needing a person, `resume` the reverse; `end`
 * follows from what became of its tasks; `reopen` is a task of an ended run being redone or added.
 */
export const RUN_INPUTS = [
  'start',
  'wait',
  'resume',
  'pause',
  'cancel',
  'stopped',
  'end',
  'reopen',
] as const;
export type RunInput = (typeof RUN_INPUTS)[number];

/** Where a run may go on an input; empty: refused. */
export type RunMachine = {
  readonly [S in RunStatus]: { readonly [I in RunInput]: readonly RunStatus[] };
};

const refused: readonly RunStatus[] = [];
const ending: readonly RunStatus[] = ['completed', 'failed', 'cancelled'];
const ended = {
  start: refused,
  wait: refused,
  resume: refused,
  pause: refused,
  cancel: refused,
  stopped: refused,
  end: refused,
  reopen: ['running'],
} as const;

/** Every status by every input: adding either without a rule does not compile. */
export const RUN_MACHINE: RunMachine = {
  planning: {
    start: ['running'],
    wait: refused,
    resume: refused,
    pause: ['paused'],
    cancel: ['cancelling'],
    stopped: refused,
    end: ending,
    reopen: refused,
  },
  running: {
    start: refused,
    wait: ['waiting'],
    resume: refused,
    pause: ['paused'],
    cancel: ['cancelling'],
    stopped: refused,
    end: ending,
    reopen: refused,
  },
  waiting: {
    start: refused,
    wait: refused,
    resume: ['running'],
    pause: ['paused'],
    cancel: ['cancelling'],
    stopped: refused,
    end: ending,
    reopen: refused,
  },
  paused: {
    start: refused,
    wait: refused,
    resume: ['running', 'waiting'],
    pause: refused,
    cancel: ['cancelling'],
    stopped: refused,
    end: ending,
    reopen: refused,
  },
  cancelling: {
    start: refused,
    wait: refused,
    resume: refused,
    pause: refused,
    cancel: refused,
    stopped: ['cancelled'],
    end: refused,
    reopen: refused,
  },
  completed: ended,
  failed: ended,
  cancelled: ended,
};

/** The status a run takes. Throws when the table forbids it: whoever asks has checked before. */
export function nextRunStatus(from: RunStatus, input: RunInput, to: RunStatus): RunStatus {
  invariant(RUN_MACHINE[from][input].includes(to), `a run may not ${input} ${from} -> ${to}`);
  return to;
}
