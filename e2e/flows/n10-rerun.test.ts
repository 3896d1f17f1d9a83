import { expect, test } from 'vitest';
import { runBaton } from '../support/process.ts';
import { byKey, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, until, type Tower } from '../support/tower.ts';
import type { Run, RunGraph, TaskDetail } from '@baton/contract';

async function act<T>(tower: Tower, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runBaton([...args, '--json'], {
    BATON_URL: tower.url,
    BATON_API_KEY: tower.apiKey,
  });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

/** Two workers that both fit, so that "the same worker" says something. */
async function ran(tower: Tower) {
  await startFleetWorker(tower, 'left');
  await startFleetWorker(tower, 'right');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'once more',
      labels: { team: 'web' },
      plan: {
        tasks: [
          {
            key: 'make',
            kind: 'command',
            role: 'implementer',
            spec: `ls; touch left-over; baton task output set n --json 7`,
            outputs: [{ key: 'n', schema: { type: 'integer' } }],
          },
          { key: 'use', kind: 'command', spec: 'ls; touch left-over; cat .baton/inputs/n.json' },
        ],
        dependencies: [{ upstream: 'make', downstream: 'use', type: 'input', contract_key: 'n' }],
      },
    },
  });
  const { tasks } = await untilEnded(tower, run.id);
  return { run, use: taskOf(tasks, 'use'), make: taskOf(tasks, 'make') };
}

test('n10: a rerun of a task stands beside the original, linked to it, on the same worker, and starts clean', async () => {
  const tower = await startTower();
  const { run, use } = await ran(tower);
  const made = await act<TaskDetail>(tower, 'task', 'rerun', use.id);
  expect(made).toMatchObject({
    run: run.id,
    rerun_of: use.id,
    generation: 1,
    assigned_worker: use.worker_name,
    inputs: { n: 7 },
  });
  expect(made.id).not.toBe(use.id);
  await until('it has ended', async () => {
    const task = await tower.client.tasks.get(made.id);
    return task.status === 'completed';
  });
  const again = await tower.client.tasks.get(made.id);
  expect(again.worker_name).toBe(use.worker_name);
  expect(await stdoutOf(tower, made.id)).not.toContain('left-over');
  expect(await stdoutOf(tower, made.id)).toContain('7');
  expect(await tower.client.tasks.get(use.id)).toMatchObject({
    status: 'completed',
    generation: 1,
  });
  expect((await tower.client.runs.get(run.id)).status).toBe('completed');
});

test('a rerun of a run is a new run of the same plan in the same lineage', async () => {
  const tower = await startTower();
  const { run, make } = await ran(tower);
  const made = await act<RunGraph>(tower, 'run', 'rerun', run.id);
  expect(made.run).toMatchObject({
    goal: 'once more',
    labels: { team: 'web' },
    source: 'rerun',
    rerun_of: run.id,
    lineage_root: run.id,
  });
  const { graph, tasks } = await untilEnded(tower, made.run.id);
  expect(graph.run.status).toBe('completed');
  expect(taskOf(tasks, 'make')).toMatchObject({
    rerun_of: make.id,
    worker_name: make.worker_name,
    generation: 1,
  });
  expect(graph.dependencies).toHaveLength(1);
  const old = byKey(await tower.client.call('getRunGraph', { params: { id: run.id } }));
  expect(taskOf(old, 'make').attempt).toBe(make.attempt);
  const third = await act<{ run: Run }>(tower, 'run', 'rerun', made.run.id);
  expect(third.run).toMatchObject({ rerun_of: made.run.id, lineage_root: run.id });
  await untilEnded(tower, third.run.id);
  const { items } = await act<{ items: Run[] }>(tower, 'run', 'list', '--lineage', run.id);
  expect(items.map((it) => it.id)).toEqual([third.run.id, made.run.id, run.id]);
});
