import type { Command } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { lockPlan } from './lock-plan.ts';

const base = { project: 'prj', actor: { kind: 'user' as const, id: null, name: null } };

describe('what a command names', () => {
  test.each<[object, object]>([
    [{ type: 'run.create' }, {}],
    [{ type: 'run.cancel', run: 'r' }, { runs: ['r'] }],
    [
      { type: 'run.delivered', run: 'r', worker: 'w' },
      { runs: ['r'], workers: ['w'] },
    ],
    [
      { type: 'task.create', body: { run: 'r', depends_on: ['a', { task: 'b' }] } },
      { runs: ['r'], tasks: ['a', 'b'] },
    ],
    [{ type: 'dependency.add', task: 'a', body: { upstream: 'b' } }, { tasks: ['a', 'b'] }],
    [{ type: 'task.retry', task: 'a' }, { tasks: ['a'] }],
    [{ type: 'checkpoint.resolve', checkpoint: 'c' }, { checkpoints: ['c'] }],
    [
      { type: 'worker.register', body: { name: 'n' }, joinToken: 'j', ownWorker: null },
      { workerNames: ['prj/n'], joinTokens: ['j'], workers: [] },
    ],
    [
      { type: 'worker.hello', worker: 'w', hello: { attempts: [{ id: 'x' }] } },
      { workers: ['w'], attempts: ['x'] },
    ],
    [
      { type: 'worker.heartbeat', worker: 'w', beat: { attempts: [{ id: 'x' }] } },
      { workers: ['w'], attempts: ['x'] },
    ],
    [{ type: 'work.dispatch', workers: [{ worker: 'w', max: 1 }] }, { workers: ['w'] }],
    [{ type: 'timer.fire', timer: 't' }, { timers: ['t'] }],
    [{ type: 'lease.grace', attempts: ['x', 'y'] }, { attempts: ['x', 'y'] }],
    [{ type: 'attempt.complete', attempt: 'x' }, { attempts: ['x'] }],
    [{ type: 'lease.expire', attempt: 'x' }, { attempts: ['x'] }],
  ])('%j', (said, expected) => {
    expect(lockPlan({ ...base, ...said } as unknown as Command)).toEqual(expected);
  });
});
