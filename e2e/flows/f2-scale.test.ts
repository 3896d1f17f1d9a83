import { expect, test } from 'vitest';
import { eventsOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir } from '../support/tower.ts';

const names = ['pool-1', 'pool-2', 'pool-3', 'pool-4', 'pool-5'];
const taskCount = 40;

test('f2: five workers join with one pool token, the queue drains, and nothing runs twice', async () => {
  const tower = await startTower();
  const here = tempDir('here');
  const { token } = await tower.client.call('createWorkerToken', { body: { max_uses: 5 } });
  for (const name of names) await startFleetWorker(tower, name, ['--slots', '2'], token);
  await expect(
    tower.client.call('registerWorker', { body: { token, name: 'pool-6' } }),
  ).rejects.toMatchObject({ code: 'join_token_invalid' });

  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'many small things',
      plan: {
        tasks: Array.from({ length: taskCount }, (_, index) => ({
          key: `job-${index}`,
          kind: 'command' as const,
          // Nobody is done before all are at it, so that each must have been given something.
          spec: `touch ${here}/$BATON_WORKER; while [ $(ls ${here} | wc -l) -lt ${names.length} ]; do sleep 0.1; done; echo done ${index}`,
        })),
      },
    },
  });
  const { graph } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  expect(new Set(graph.tasks.map((task) => task.worker_name))).toEqual(new Set(names));
  const events = await eventsOf(tower, run.id);
  const claimed = events.filter((event) => event.type === 'attempt.claimed');
  expect(claimed).toHaveLength(taskCount);
  expect(new Set(claimed.map((event) => event.task)).size).toBe(taskCount);
});
