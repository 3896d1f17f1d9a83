import { ATTEMPT_STATUSES } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { ATTEMPT_INPUTS, ATTEMPT_MACHINE, nextAttemptStatus } from './attempt-machine.ts';

const OPEN_ENDS = ['failed', 'lost', 'released', 'stopping', 'succeeded'];
const LEAVES_TO: Record<string, readonly string[]> = {
  claimed: [...OPEN_ENDS, 'running'],
  running: [...OPEN_ENDS, 'parked'],
  parked: [...OPEN_ENDS, 'running'],
  stopping: ['cancelled', 'released', 'timed_out'],
};

describe('the attempt machine', () => {
  test('has a rule for each status and input', () => {
    expect(Object.keys(ATTEMPT_MACHINE)).toEqual([...ATTEMPT_STATUSES]);
    for (const status of ATTEMPT_STATUSES) {
      expect(Object.keys(ATTEMPT_MACHINE[status])).toEqual([...ATTEMPT_INPUTS]);
    }
  });

  test.each(ATTEMPT_STATUSES)('leaves %s only to where it may', (status) => {
    const targets = new Set(ATTEMPT_INPUTS.flatMap((input) => ATTEMPT_MACHINE[status][input]));
    expect([...targets].sort()).toEqual([...(LEAVES_TO[status] ?? [])].sort());
  });

  const cells = ATTEMPT_STATUSES.flatMap((from) =>
    ATTEMPT_INPUTS.map((input) => ({ from, input })),
  );
  test.each(cells)('$input of a $from attempt goes where the table says', ({ from, input }) => {
    for (const to of ATTEMPT_STATUSES) {
      if (ATTEMPT_MACHINE[from][input].includes(to)) {
        expect(nextAttemptStatus(from, input, to)).toBe(to);
      } else expect(() => nextAttemptStatus(from, input, to)).toThrow(/may not/);
    }
  });
});
