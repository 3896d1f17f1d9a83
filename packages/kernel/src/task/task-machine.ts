import type { TaskStatus } from '@baton/contract';
import { invariant } from '../invariant.ts';

/**
 * What may happen to a task. `open` is the last required dependency being satisfied, `block` the
 * reverse, `offer` handing it out again after an attempt that did not finish it, `redo` a new
 * generation, of one that lives only after what it holds was taken away; it starts blocked and is
 * opened in the same commit. `adopt` takes a result that came when its attempt had been given up.
 */
export const TASK_INPUTS = [
  'open',
  'block',
  'approve',
  'claim',
  'park',
  'resume',
  'verify',
  'complete',
  'offer',
  'fail',
  'cancel',
  'skip',
  'pause',
  'supersede',
  'redo',
  'adopt',
] as const;
export type TaskInput = (typeof TASK_INPUTS)[number];

/** Where a task may go on an input; empty: refused. */
export type TaskMachine = {
  readonly [S in TaskStatus]: { readonly [I in TaskInput]: readonly TaskStatus[] };
};

const refused: readonly TaskStatus[] = [];
const ended = {
  open: refused,
  block: refused,
  approve: refused,
  claim: refused,
  park: refused,
  resume: refused,
  verify: refused,
  complete: refused,
  offer: refused,
  fail: refused,
  cancel: refused,
  skip: refused,
  pause: refused,
  supersede: refused,
  redo: ['blocked'],
  adopt: refused,
} as const;
/** Ended without a result: one that came too late may still be taken, and a new plan may replace it. */
const without = { ...ended, adopt: ['completed'], supersede: ['superseded'] } as const;

/** Every status by every input: adding either without a rule does not compile. */
export const TASK_MACHINE: TaskMachine = {
  blocked: {
    // `human` waits for its answer, `join` is done at once.
    open: ['ready', 'awaiting_approval', 'waiting', 'completed'],
    block: refused,
    approve: refused,
    claim: refused,
    park: refused,
    resume: refused,
    verify: refused,
    complete: refused,
    offer: refused,
    fail: ['failed'],
    cancel: ['cancelled'],
    skip: ['skipped'],
    pause: ['paused'],
    supersede: ['superseded'],
    redo: ['blocked'],
    adopt: refused,
  },
  awaiting_approval: {
    open: refused,
    block: ['blocked'],
    approve: ['ready'],
    claim: refused,
    park: refused,
    resume: refused,
    verify: refused,
    complete: refused,
    offer: refused,
    fail: ['failed'],
    cancel: ['cancelled'],
    skip: ['skipped'],
    pause: ['paused'],
    supersede: ['superseded'],
    redo: ['blocked'],
    adopt: refused,
  },
  ready: {
    open: refused,
    block: ['blocked'],
    approve: refused,
    claim: ['running'],
    park: ['waiting'],
    resume: refused,
    verify: refused,
    complete: refused,
    offer: refused,
    fail: ['failed'],
    cancel: ['cancelled'],
    skip: ['skipped'],
    pause: ['paused'],
    supersede: ['superseded'],
    redo: ['blocked'],
    adopt: ['completed'],
  },
  running: {
    open: refused,
    block: refused,
    approve: refused,
    claim: refused,
    park: ['waiting'],
    resume: refused,
    verify: ['verifying'],
    complete: ['completed'],
    offer: ['ready'],
    fail: ['failed'],
    cancel: ['cancelled'],
    skip: refused,
    pause: ['paused'],
    supersede: refused,
    redo: ['blocked'],
    adopt: ['completed'],
  },
  waiting: {
    open: refused,
    block: refused,
    approve: refused,
    claim: refused,
    park: refused,
    resume: ['running', 'ready'],
    verify: ['verifying'],
    complete: ['completed'],
    offer: ['ready'],
    fail: ['failed'],
    cancel: ['cancelled'],
    skip: refused,
    pause: ['paused'],
    supersede: ['superseded'],
    redo: ['blocked'],
    adopt: refused,
  },
  verifying: {
    open: refused,
    block: refused,
    approve: refused,
    claim: refused,
    park: ['waiting'],
    resume: refused,
    verify: refused,
    complete: ['completed'],
    offer: ['ready'],
    fail: ['failed'],
    cancel: ['cancelled'],
    skip: refused,
    pause: ['paused'],
    supersede: refused,
    redo: ['blocked'],
    adopt: refused,
  },
  paused: {
    open: refused,
    block: refused,
    approve: refused,
    claim: refused,
    park: refused,
    resume: ['blocked', 'awaiting_approval', 'ready', 'waiting'],
    verify: refused,
    complete: refused,
    offer: refused,
    fail: ['failed'],
    cancel: ['cancelled'],
    skip: refused,
    pause: refused,
    supersede: ['superseded'],
    redo: ['blocked'],
    adopt: ['completed'],
  },
  completed: ended,
  failed: without,
  cancelled: without,
  skipped: { ...ended, supersede: ['superseded'] },
  superseded: ended,
};

/** The status a task takes. Throws when the table forbids it: whoever asks has checked before. */
export function nextTaskStatus(from: TaskStatus, input: TaskInput, to: TaskStatus): TaskStatus {
  invariant(TASK_MACHINE[from][input].includes(to), `a task may not ${input} ${from} -> ${to}`);
  return to;
}
