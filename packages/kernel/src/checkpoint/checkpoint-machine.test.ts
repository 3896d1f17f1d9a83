import { CHECKPOINT_STATUSES } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import {
  CHECKPOINT_INPUTS,
  CHECKPOINT_MACHINE,
  nextCheckpointStatus,
} from './checkpoint-machine.ts';

const EXPECTED: Record<string, string> = {
  resolve: 'resolved',
  expire: 'timed_out',
  cancel: 'cancelled',
  supersede: 'superseded',
};

describe('the checkpoint machine', () => {
  test('has a rule for each status and input', () => {
    expect(Object.keys(CHECKPOINT_MACHINE)).toEqual([...CHECKPOINT_STATUSES]);
    for (const status of CHECKPOINT_STATUSES) {
      expect(Object.keys(CHECKPOINT_MACHINE[status])).toEqual([...CHECKPOINT_INPUTS]);
    }
  });

  const cells = CHECKPOINT_STATUSES.flatMap((from) =>
    CHECKPOINT_INPUTS.map((input) => ({ from, input })),
  );
  test.each(cells)('$input moves an open checkpoint and no $from one', ({ from, input }) => {
    for (const to of CHECKPOINT_STATUSES) {
      if (from === 'open' && EXPECTED[input] === to) {
        expect(nextCheckpointStatus(from, input, to)).toBe(to);
      } else expect(() => nextCheckpointStatus(from, input, to)).toThrow(/may not/);
    }
  });
});
