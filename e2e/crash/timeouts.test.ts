import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRunning, untilPid } from '../support/processes.ts';
import { eventsOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

test('the control plane ends agents that hang: silent for too long, or running for too long', async () => {
  const dir = tempDir('hung');
  const tower = await startTower();
  await startFleetWorker(tower, 'w', ['--slots', '3']);
  const begins = (key: string): string => `echo $$ > ${join(dir, key)}.pid; echo hello`;
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'hang',
      plan: {
        tasks: [
          {
            key: 'silent',
            kind: 'command',
            spec: `${begins('silent')}; trap '' TERM; while :; do sleep 300; done`,
            timeouts: { idle: 15, run: 600 },
          },
          {
            key: 'endless',
            kind: 'command',
            spec: `${begins('endless')}; while :; do echo on; sleep 0.5; done`,
            timeouts: { run: 15, idle: 300 },
          },
          {
            key: 'slow',
            kind: 'command',
            spec: `${begins('slow')}; for i in $(seq 30); do echo $i; sleep 1; done`,
            timeouts: { idle: 20 },
          },
        ],
      },
    },
  });
  const hung: number[] = [];
  for (const key of ['silent', 'endless']) hung.push(await untilPid(join(dir, `${key}.pid`)));
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('failed');
  expect(taskOf(tasks, 'silent')).toMatchObject({
    status: 'failed',
    failure_class: 'idle_timeout',
    reason: 'said nothing for longer than timeouts.idle',
  });
  expect(taskOf(tasks, 'endless')).toMatchObject({ status: 'failed', failure_class: 'timeout' });
  // One that says something all the while outlives its idle timeout.
  expect(taskOf(tasks, 'slow').status).toBe('completed');
  await until('the agents are gone, one of them in spite of its trap', () =>
    hung.every((pid) => !isRunning(pid)),
  );
  await until('both attempts are closed as timed out', async () => {
    const events = await eventsOf(tower, run.id);
    return events.filter(({ type }) => type === 'attempt.timed_out').length === 2;
  });
});
