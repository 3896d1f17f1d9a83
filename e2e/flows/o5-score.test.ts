import { expect, test } from 'vitest';
import { join } from 'node:path';
import { makeRepo } from '../support/repo.ts';
import { taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

test('o5: the only worker that fits wins with 255 points, and explain says why the others may not', async () => {
  const home = tempDir('repos');
  const gateway = makeRepo(join(home, 'api-gateway'), { 'README.md': 'gateway\n' });
  const other = makeRepo(join(home, 'hub'), { 'README.md': 'hub\n' });
  const tower = await startTower();
  await startFleetWorker(tower, 'dev-backend', [
    '--slots',
    '2',
    '--languages',
    'rust',
    '--repo',
    `api-gateway=${gateway}`,
  ]);
  await startFleetWorker(tower, 'hub-server', ['--repo', `hub=${other}`]);
  const desktop = await startFleetWorker(tower, 'dev-desktop', ['--repo', `desktop=${other}`]);
  await desktop.kill();
  await until('dev-desktop is no longer online', async () => {
    const { items } = await tower.client.call('listWorkers', {});
    return items.find((worker) => worker.name === 'dev-desktop')?.status !== 'online';
  });

  const inGateway = {
    kind: 'command' as const,
    needs: { repo: 'api-gateway', languages: ['rust'] },
    workspace: { repo: gateway },
  };
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'rust in the gateway',
      deliver: 'none',
      plan: {
        tasks: [
          {
            key: 'schema',
            ...inGateway,
            spec: `baton task output set api_schema --json '{}'`,
            outputs: [{ key: 'api_schema' }],
          },
          { key: 'build', ...inGateway, spec: 'true', dispatch: 'manual' },
        ],
        dependencies: [
          { upstream: 'schema', downstream: 'build', type: 'input', contract_key: 'api_schema' },
        ],
      },
    },
  });
  let build = '';
  await until('the build waits for its assignment', async () => {
    const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
    const task = graph.tasks.find((it) => it.key === 'build');
    build = task?.id ?? '';
    return task?.status === 'ready';
  });
  const why = await tower.client.call('explainTask', { params: { id: build } });
  const by = (name: string) => why.candidates.find((it) => it.name === name);
  expect(by('dev-backend')).toMatchObject({ eligible: true, score: 255, disqualified: [] });
  expect(by('hub-server')).toMatchObject({ eligible: false });
  expect(by('hub-server')?.disqualified.join(' ')).toMatch(/api-gateway/);
  expect(by('dev-desktop')?.disqualified.join(' ')).toMatch(/silent|offline/);
  expect(why.candidates.filter((it) => it.eligible).map((it) => it.name)).toEqual(['dev-backend']);
  // Nobody gets it by itself while it waits for a person to assign it.
  expect(why.winner).toBeNull();
  expect(why.holds.map((it) => it.kind)).toEqual(['assignment']);
  expect(why.sentence).toMatch(/assign/);

  await tower.client.call('assignTask', { params: { id: build }, body: { worker: 'dev-backend' } });
  const { tasks } = await untilEnded(tower, run.id);
  expect(taskOf(tasks, 'build')).toMatchObject({ status: 'completed', worker_name: 'dev-backend' });
});
