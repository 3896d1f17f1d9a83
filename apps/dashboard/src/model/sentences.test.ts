import { TASK_STATUSES, type Task } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { activeScene } from '../../dev/scenes.ts';
import { createWorld } from '../../dev/world.ts';
import {
  lossOfCancellingRun,
  lossOfCancellingTask,
  lossOfPausingTask,
  lossOfRetrying,
  whyNotCancelRun,
  whyNotCancelTask,
  whyNotPauseRun,
  whyNotPauseTask,
  whyNotRelaunchTask,
  whyNotResumeTask,
  whyNotRetryTask,
} from './actions.ts';
import { runSentence, taskSentence } from './sentences.ts';

const NOW = Date.now();

function scene() {
  const world = createWorld();
  const run = activeScene(world);
  const tasks = [...world.tasks.values()];
  const around = { tasks, edges: world.edges, checkpoint: undefined, nowMs: NOW };
  const taskOf = (key: string): Task => {
    const task = tasks.find((it) => it.key === key);
    if (task === undefined) throw new Error(`no task ${key}`);
    return task;
  };
  return { run, tasks, edges: world.edges, around, taskOf, world };
}

describe('the sentence of a task', () => {
  test('there is one for every status', () => {
    const { around, taskOf } = scene();
    for (const status of TASK_STATUSES) {
      expect(taskSentence({ ...taskOf('docs'), status }, around)).toMatch(/^[A-Z].+\.$/);
    }
  });

  test('names what a blocked task waits for', () => {
    const { around, taskOf } = scene();
    expect(taskSentence(taskOf('verify'), around)).toBe(
      'Waits for impl-users and impl-auth (0 of 2 done).',
    );
  });

  test('tells who must act, since when, and how much waits behind it', () => {
    const { around, taskOf, world } = scene();
    const checkpoint = [...world.checkpoints.values()].find(({ kind }) => kind === 'question');
    const nowMs = Date.parse(checkpoint?.opened_at ?? '') + 4 * 60_000;
    expect(taskSentence(taskOf('impl-auth'), { ...around, checkpoint, nowMs })).toBe(
      'Waits for your answer, asked 4 min ago; 2 tasks wait behind it.',
    );
  });

  test('says when a failed attempt is tried again', () => {
    const { around, taskOf } = scene();
    const retry = {
      ...taskOf('docs'),
      retry_at: new Date(NOW + 30_000).toISOString(),
      reason: 'rate limit',
    };
    expect(taskSentence(retry, around)).toBe('Tried again in 30 s: rate limit.');
  });
});

test('the sentence of a run tells what moves and what waits', () => {
  const { run } = scene();
  const counts = { running: 2, ready: 1, blocked: 3 };
  expect(runSentence({ ...run, tasks_by_status: counts, needs_human: 1 }, NOW)).toBe(
    '2 agents work, 1 thing waits for you, 1 task is ready for a worker, 3 tasks wait for others.',
  );
});

describe('an action', () => {
  test('works where the kernel allows it, and says why where not', () => {
    const { taskOf } = scene();
    const can = TASK_STATUSES.filter(
      (status) => whyNotCancelTask({ ...taskOf('docs'), status }, undefined) === undefined,
    );
    const again = TASK_STATUSES.filter(
      (status) => whyNotRetryTask({ ...taskOf('docs'), status }, undefined) === undefined,
    );
    expect(can).toContain('running');
    expect(can).not.toContain('completed');
    expect(again).toContain('failed');
    expect(again).not.toContain('running');
    expect(can.filter((status) => again.includes(status))).toEqual([]);
  });

  test('is refused to those who may only read', () => {
    const { run, taskOf } = scene();
    expect(whyNotCancelRun(run, ['read'])).toBe('Your session may only read.');
    expect(whyNotCancelTask(taskOf('docs'), ['read'])).toBe('Your session may only read.');
  });

  test('to pause or relaunch says why it cannot', () => {
    const { run, taskOf } = scene();
    const task = taskOf('impl-users');
    expect(whyNotPauseTask(task, undefined)).toBeUndefined();
    expect(whyNotPauseTask({ ...task, status: 'completed' }, undefined)).toContain('completed');
    const dead = { ...task, status: 'blocked', reason: 'dependency_failed:a' } as const;
    expect(whyNotPauseTask(dead, undefined)).toContain('cannot start');
    expect(whyNotResumeTask({ ...run, status: 'paused' }, undefined)).toContain('resume the run');
    expect(whyNotRelaunchTask(task, { ...run, status: 'cancelling' }, undefined)).toContain(
      'cancelled',
    );
    expect(whyNotPauseRun({ ...run, status: 'failed' }, undefined)).toContain('failed');
    expect(whyNotPauseRun(run, ['read'])).toBe('Your session may only read.');
    expect(lossOfPausingTask(task)).toContain('stopped');
  });

  test('names what is lost', () => {
    const { run, tasks, edges, taskOf } = scene();
    expect(lossOfCancellingRun({ ...run, tasks_by_status: { completed: 1 } }, tasks)).toBe(
      '1 agent is stopped in the middle of impl-users; 5 tasks will never start or go on. The work of 1 finished task is kept.',
    );
    expect(lossOfCancellingTask(taskOf('impl-users'), tasks, edges)).toContain(
      '2 tasks behind it are cancelled too: verify and integrate.',
    );
    const finished = tasks.map((task) =>
      task.key === 'verify' ? { ...task, status: 'completed' as const } : task,
    );
    expect(lossOfRetrying(taskOf('impl-users'), finished, edges)).toContain(
      '1 later task has ended already: verify.',
    );
  });
});
