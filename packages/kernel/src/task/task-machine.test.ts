import { isTerminalTask, TASK_STATUSES } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { nextTaskStatus, TASK_INPUTS, TASK_MACHINE } from './task-machine.ts';

/** Where each status leaves to, whatever the input; `join` and `human` are opened like the others. */
const LEAVES_TO: Record<string, readonly string[]> = {
  blocked: [
    'blocked',
    'ready',
    'awaiting_approval',
    'waiting',
    'completed',
    'paused',
    'skipped',
    'failed',
    'cancelled',
    'superseded',
  ],
  awaiting_approval: ['ready', 'blocked', 'paused', 'skipped', 'failed', 'cancelled', 'superseded'],
  ready: [
    'running',
    'waiting',
    'blocked',
    'completed',
    'paused',
    'skipped',
    'failed',
    'cancelled',
    'superseded',
  ],
  running: [
    'verifying',
    'completed',
    'waiting',
    'ready',
    'blocked',
    'paused',
    'failed',
    'cancelled',
  ],
  waiting: [
    'running',
    'ready',
    'blocked',
    'verifying',
    'completed',
    'paused',
    'failed',
    'cancelled',
    'superseded',
  ],
  verifying: ['completed', 'ready', 'blocked', 'waiting', 'paused', 'failed', 'cancelled'],
  paused: [
    'blocked',
    'awaiting_approval',
    'ready',
    'waiting',
    'completed',
    'failed',
    'cancelled',
    'superseded',
  ],
  completed: ['blocked'],
  failed: ['blocked', 'completed', 'superseded'],
  cancelled: ['blocked', 'completed', 'superseded'],
  skipped: ['blocked', 'superseded'],
  superseded: ['blocked'],
};

describe('the task machine', () => {
  test('has a rule for each status and input', () => {
    expect(Object.keys(TASK_MACHINE)).toEqual([...TASK_STATUSES]);
    for (const status of TASK_STATUSES) {
      expect(Object.keys(TASK_MACHINE[status])).toEqual([...TASK_INPUTS]);
    }
  });

  test.each(TASK_STATUSES)('leaves %s only to where it may', (status) => {
    const targets = new Set(TASK_INPUTS.flatMap((input) => TASK_MACHINE[status][input]));
    expect([...targets].sort()).toEqual([...(LEAVES_TO[status] ?? [])].sort());
  });

  const cells = TASK_STATUSES.flatMap((from) => TASK_INPUTS.map((input) => ({ from, input })));
  test.each(cells)('$input of a $from task goes where the table says', ({ from, input }) => {
    for (const to of TASK_STATUSES) {
      if (TASK_MACHINE[from][input].includes(to)) expect(nextTaskStatus(from, input, to)).toBe(to);
      else expect(() => nextTaskStatus(from, input, to)).toThrow(/may not/);
    }
  });

  test('an ended task is redone; one without a result may be replaced, or take a late one', () => {
    for (const status of TASK_STATUSES.filter(isTerminalTask)) {
      const open = TASK_INPUTS.filter((input) => TASK_MACHINE[status][input].length > 0);
      const hasNoResult = status === 'failed' || status === 'cancelled';
      const isReplaceable = hasNoResult || status === 'skipped';
      expect(open).toEqual([
        ...(isReplaceable ? ['supersede'] : []),
        'redo',
        ...(hasNoResult ? ['adopt'] : []),
      ]);
    }
  });
});
