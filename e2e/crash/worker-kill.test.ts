import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRunning, untilPid } from '../support/processes.ts';
import { eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until, type Tower } from '../support/tower.ts';

const counting = (count: number, go: string): string =>
  `echo $$ > ${go}.pid; for i in $(seq 1 ${count}); do echo "line $i"; sleep 0.01; done; while [ ! -e ${go} ]; do sleep 0.05; done; echo end`;
const counted = (count: number): string =>
  `${Array.from({ length: count }, (_, index) => `line ${index + 1}`).join('\n')}\nend\n`;

/** Answers the run and the process of its agent. */
async function startCounting(
  tower: Tower,
  go: string,
): Promise<{ readonly runId: string; readonly pid: number }> {
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'count',
      plan: { tasks: [{ key: 'count', kind: 'command', spec: counting(300, go) }] },
    },
  });
  return { runId: run.id, pid: await untilPid(`${go}.pid`) };
}

test('kill -9 of the worker daemon in the middle of a task: the same attempt goes on and completes', async () => {
  const go = join(tempDir('go'), 'go');
  const tower = await startTower();
  const worker = await startFleetWorker(tower, 'w');
  const { runId, pid } = await startCounting(tower, go);
  await worker.kill();
  await worker.restart();
  await worker.restart();
  expect(isRunning(pid)).toBe(true);
  writeFileSync(go, '');
  const { graph, tasks } = await untilEnded(tower, runId);
  expect(graph.run.status).toBe('completed');
  const task = taskOf(tasks, 'count');
  expect(task.attempt_count).toBe(1);
  expect(await stdoutOf(tower, task.id)).toBe(counted(300));
  const types = (await eventsOf(tower, runId)).map((event) => event.type);
  expect(types.filter((type) => type === 'attempt.claimed')).toHaveLength(1);
  expect(types).not.toContain('attempt.lost');
});

test('an agent that ends while no daemon is there is reported by the next one', async () => {
  const go = join(tempDir('go'), 'go');
  const tower = await startTower();
  const worker = await startFleetWorker(tower, 'w');
  const { runId, pid } = await startCounting(tower, go);
  await worker.kill();
  writeFileSync(go, '');
  await until('the agent has ended', () => !isRunning(pid));
  await worker.restart();
  const { graph, tasks } = await untilEnded(tower, runId);
  expect(graph.run.status).toBe('completed');
  expect(await stdoutOf(tower, taskOf(tasks, 'count').id)).toBe(counted(300));
});

test('kill -9 of the agent fails its attempt, and a retry that is allowed completes the task', async () => {
  const dir = tempDir('once');
  const tower = await startTower();
  await startFleetWorker(tower, 'w');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'crash once',
      plan: {
        tasks: [
          {
            key: 'crash',
            kind: 'command',
            spec: `if [ -e ${dir}/again ]; then echo second; else touch ${dir}/again; echo first; kill -9 $$; fi`,
            retry: { max_attempts: 2, backoff_seconds: 0 },
          },
        ],
      },
    },
  });
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  expect(taskOf(tasks, 'crash').attempt_count).toBe(2);
  const { items } = await tower.client.call('listAttempts', {
    params: { id: taskOf(tasks, 'crash').id },
  });
  expect(items.map((attempt) => attempt.status)).toEqual(['succeeded', 'failed']);
});

test('a cancelled task ends the whole process tree of its agent', async () => {
  const dir = tempDir('tree');
  const tower = await startTower();
  await startFleetWorker(tower, 'w');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'tree',
      plan: {
        tasks: [
          {
            key: 'tree',
            kind: 'command',
            spec: `setsid sh -c 'echo $$ > ${dir}/far; sleep 300' & sh -c 'echo $$ > ${dir}/near; sleep 300' & wait`,
          },
        ],
      },
    },
  });
  const tree = [await untilPid(join(dir, 'far')), await untilPid(join(dir, 'near'))];
  await tower.client.call('cancelRun', { params: { id: run.id }, body: { reason: 'enough' } });
  const { graph } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('cancelled');
  expect(tree.filter((pid) => isRunning(pid))).toEqual([]);
  const cancelled = (await eventsOf(tower, run.id)).find((event) => event.type === 'run.cancelled');
  expect(cancelled?.data['reason']).toBe('enough');
});
