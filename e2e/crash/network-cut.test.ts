import { expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRelay } from '../support/relay.ts';
import { eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, until } from '../support/tower.ts';

test('a network that breaks again and again between worker and server loses and doubles nothing', async () => {
  const tower = await startTower();
  const proxy = await startRelay(tower.url);
  // The proxy's port is no address of the server, so the worker is told to name the server's.
  const publicTower = Object.create(tower, { url: { value: proxy.url } }) as typeof tower;
  await tower.restart(['--public-url', proxy.url]);
  await startFleetWorker(publicTower, 'far', ['--slots', '2']);
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'through a bad network',
      plan: {
        tasks: [
          {
            key: 'talk',
            kind: 'command',
            spec: 'for i in $(seq 1 400); do echo "line $i"; sleep 0.01; done; baton task output set n --json 1',
            outputs: [{ key: 'n' }],
          },
          { key: 'listen', kind: 'command', spec: 'cat .baton/inputs/n.json' },
        ],
        dependencies: [
          { upstream: 'talk', downstream: 'listen', type: 'input', contract_key: 'n' },
        ],
      },
    },
  });
  await until('the first task runs', async () => {
    const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
    return graph.tasks.some((task) => task.status === 'running');
  });
  for (let cut = 0; cut < 6; cut++) {
    await sleep(300 + cut * 90);
    proxy.cut();
    await sleep(150 + cut * 50);
    proxy.mend();
  }
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  const wanted = `${Array.from({ length: 400 }, (_, index) => `line ${index + 1}`).join('\n')}\n`;
  expect((await stdoutOf(tower, taskOf(tasks, 'talk').id)).startsWith(wanted)).toBe(true);
  const claimed = (await eventsOf(tower, run.id)).filter(
    (event) => event.type === 'attempt.claimed',
  );
  expect(claimed).toHaveLength(2);
});
