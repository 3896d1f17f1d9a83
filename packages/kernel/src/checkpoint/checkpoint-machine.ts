import type { CheckpointStatus } from '@baton/contract';
import { invariant } from '../invariant.ts';

/** What may happen to a checkpoint: one decision wins, and nothing moves it after that. */
export const CHECKPOINT_INPUTS = ['resolve', 'expire', 'cancel', 'supersede'] as const;
export type CheckpointInput = (typeof CHECKPOINT_INPUTS)[number];

/** Where a checkpoint may go on an input; empty: refused. */
export type CheckpointMachine = {
  readonly [S in CheckpointStatus]: {
    readonly [I in CheckpointInput]: readonly CheckpointStatus[];
  };
};

const refused: readonly CheckpointStatus[] = [];
const closed = { resolve: refused, expire: refused, cancel: refused, supersede: refused } as const;

/** Every status by every input: adding either without a rule does not compile. */
export const CHECKPOINT_MACHINE: CheckpointMachine = {
  open: {
    resolve: ['resolved'],
    expire: ['timed_out'],
    cancel: ['cancelled'],
    supersede: ['superseded'],
  },
  resolved: closed,
  timed_out: closed,
  cancelled: closed,
  superseded: closed,
};

/** The status a checkpoint takes. Throws when the table forbids it: whoever asks has checked before. */
export function nextCheckpointStatus(
  from: CheckpointStatus,
  input: CheckpointInput,
  to: CheckpointStatus,
): CheckpointStatus {
  invariant(
    CHECKPOINT_MACHINE[from][input].includes(to),
    `a checkpoint may not ${input} ${from} -> ${to}`,
  );
  return to;
}
