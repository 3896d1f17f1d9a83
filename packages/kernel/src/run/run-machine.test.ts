import { isTerminalRun, RUN_STATUSES } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { nextRunStatus, RUN_INPUTS, RUN_MACHINE } from './run-machine.ts';

const ENDS = ['cancelled', 'completed', 'failed'];
const LEAVES_TO: Record<string, readonly string[]> = {
  planning: ['cancelling', ...ENDS, 'paused', 'running'],
  running: ['cancelling', ...ENDS, 'paused', 'waiting'],
  waiting: ['cancelling', ...ENDS, 'paused', 'running'],
  paused: ['cancelling', ...ENDS, 'running', 'waiting'],
  cancelling: ['cancelled'],
  completed: ['running'],
  failed: ['running'],
  cancelled: ['running'],
};

describe('the run machine', () => {
  test('has a rule for each status and input', () => {
    expect(Object.keys(RUN_MACHINE)).toEqual([...RUN_STATUSES]);
    for (const status of RUN_STATUSES) {
      expect(Object.keys(RUN_MACHINE[status])).toEqual([...RUN_INPUTS]);
    }
  });

  test.each(RUN_STATUSES)('leaves %s only to where it may', (status) => {
    const targets = new Set(RUN_INPUTS.flatMap((input) => RUN_MACHINE[status][input]));
    expect([...targets].sort()).toEqual([...(LEAVES_TO[status] ?? [])].sort());
  });

  const cells = RUN_STATUSES.flatMap((from) => RUN_INPUTS.map((input) => ({ from, input })));
  test.each(cells)('$input of a $from run goes where the table says', ({ from, input }) => {
    for (const to of RUN_STATUSES) {
      if (RUN_MACHINE[from][input].includes(to)) expect(nextRunStatus(from, input, to)).toBe(to);
      else expect(() => nextRunStatus(from, input, to)).toThrow(/may not/);
    }
  });

  test('an ended run is left only by being reopened', () => {
    for (const status of RUN_STATUSES.filter(isTerminalRun)) {
      const open = RUN_INPUTS.filter((input) => RUN_MACHINE[status][input].length > 0);
      expect(open).toEqual(['reopen']);
    }
  });
});
