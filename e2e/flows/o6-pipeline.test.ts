import { expect, test } from 'vitest';
import type { PlanInput } from '@baton/contract';
import { join } from 'node:path';
import { eventsOf, placeOf, taskOf, untilEnded, byKey } from '../support/run.ts';
import { makeRepo } from '../support/repo.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

const schema = { endpoints: [{ path: '/users', method: 'GET' }], version: '2.5' };
const backendRepos = [
  'api-gateway',
  'core-service',
  'web-dashboard',
  'search-engine',
  'payment-service',
  'deploy-infra',
  'marketing-site',
];

/** Says who it is, waits for the test's sign, and tells what inputs it was given. */
const waitForSign = (signs: string, key: string): string =>
  `touch ${join(signs, `${key}.started`)}; ls .baton/inputs; cat .baton/inputs/*.json 2>/dev/null; ` +
  `while [ ! -e ${join(signs, `${key}.go`)} ]; do sleep 0.05; done`;

function pipeline(repos: Readonly<Record<string, string>>, signs: string): PlanInput {
  const at = (repo: string) => ({ workspace: { repo: repos[repo] ?? '' } });
  const work = (key: string, repo: string, needs: object) => ({
    key,
    kind: 'command' as const,
    spec: waitForSign(signs, key),
    needs: { repo, ...needs },
    ...at(repo),
  });
  return {
    tasks: [
      {
        key: 't1',
        kind: 'command',
        title: 'Update API Schema v2.5',
        dispatch: 'manual',
        spec: `baton task output set api_schema --json '${JSON.stringify(schema)}'`,
        needs: { repo: 'core-service' },
        ...at('core-service'),
        outputs: [
          {
            key: 'api_schema',
            type: 'api_schema',
            schema: { type: 'object', required: ['endpoints'] },
          },
        ],
      },
      work('t2', 'api-gateway', { languages: ['rust'] }),
      work('t3', 'search-engine', { languages: ['rust'] }),
      work('t4', 'web-dashboard', { languages: ['ts'] }),
      work('t5', 'api-gateway', { worker: 'dev-backend' }),
      work('t6', 'deploy-infra', { worker: 'dev-backend' }),
      work('t7', 'desktop-app', { worker: 'dev-desktop' }),
    ],
    dependencies: [
      ...['t2', 't3', 't4'].map((downstream) => ({
        upstream: 't1',
        downstream,
        type: 'input' as const,
        contract_key: 'api_schema',
      })),
      ...[
        ['t2', 't5'],
        ['t2', 't6'],
        ['t3', 't6'],
        ['t4', 't6'],
        ['t2', 't7'],
      ].map(([upstream = '', downstream = '']) => ({
        upstream,
        downstream,
        type: 'blocks' as const,
      })),
    ],
  };
}

test('o6: seven tasks run through five phases on two workers with different repositories', async () => {
  const home = tempDir('repos');
  const signs = tempDir('signs');
  const repos = Object.fromEntries(
    [...backendRepos, 'desktop-app'].map((name) => [
      name,
      makeRepo(join(home, name), { 'README.md': `${name}\n` }),
    ]),
  );
  const tower = await startTower();
  const declare = (name: string) => ['--repo', `${name}=${repos[name] ?? ''}`];
  await startFleetWorker(tower, 'dev-backend', [
    '--slots',
    '4',
    '--languages',
    'rust,ts',
    ...backendRepos.flatMap(declare),
  ]);
  await startFleetWorker(tower, 'dev-desktop', ['--slots', '2', ...declare('desktop-app')]);

  const { run } = await tower.client.call('createRun', {
    body: { goal: 'E-Commerce Platform Rebuild', plan: pipeline(repos, signs), deliver: 'none' },
  });
  const graph = async () =>
    byKey(await tower.client.call('getRunGraph', { params: { id: run.id } }));
  const statuses = async () =>
    Object.fromEntries(Object.values(await graph()).map((task) => [task.key, task.status]));
  const go = async (...keys: readonly string[]) => {
    const { writeFileSync } = await import('node:fs');
    for (const key of keys) writeFileSync(join(signs, `${key}.go`), '');
  };

  // Phase 1: nothing moves before T1 is assigned by hand.
  expect(await statuses()).toEqual({
    t1: 'ready',
    t2: 'blocked',
    t3: 'blocked',
    t4: 'blocked',
    t5: 'blocked',
    t6: 'blocked',
    t7: 'blocked',
  });
  const first = taskOf(await graph(), 't1');
  expect(first.reason).toBe('waiting_for_assignment');
  await tower.client.call('assignTask', {
    params: { id: first.id },
    body: { worker: 'dev-backend' },
  });

  // Phase 2: T2, T3, T4 run at the same time on dev-backend.
  await until('T2, T3 and T4 run together', async () => {
    const now = await statuses();
    return now['t2'] === 'running' && now['t3'] === 'running' && now['t4'] === 'running';
  });
  expect(await statuses()).toMatchObject({ t5: 'blocked', t6: 'blocked', t7: 'blocked' });

  // Phase 3: T2 ends; T5 and T7 start, T6 still waits for T3 and T4.
  await go('t2');
  await until('T5 and T7 run', async () => {
    const now = await statuses();
    return now['t5'] === 'running' && now['t7'] === 'running';
  });
  expect(await statuses()).toMatchObject({ t3: 'running', t4: 'running', t6: 'blocked' });

  // Phase 4: T3 and T4 end; only then T6 starts.
  await go('t3');
  await until('T3 has ended', async () => (await statuses())['t3'] === 'completed');
  expect((await statuses())['t6']).toBe('blocked');
  await go('t4');
  await until('T6 runs', async () => (await statuses())['t6'] === 'running');

  // Phase 5: all done.
  await go('t5', 't6', 't7');
  const ended = await untilEnded(tower, run.id);
  expect(ended.graph.run.status).toBe('completed');
  const workers = Object.fromEntries(
    Object.values(ended.tasks).map((task) => [task.key, task.worker_name]),
  );
  expect(workers).toEqual({
    t1: 'dev-backend',
    t2: 'dev-backend',
    t3: 'dev-backend',
    t4: 'dev-backend',
    t5: 'dev-backend',
    t6: 'dev-backend',
    t7: 'dev-desktop',
  });

  for (const key of ['t2', 't3', 't4']) {
    const task = await tower.client.call('getTask', {
      params: { id: taskOf(ended.tasks, key).id },
    });
    expect(task.inputs).toEqual({ api_schema: schema });
  }

  const events = await eventsOf(tower, run.id);
  expect(events.map((event) => event.run_seq)).toEqual(events.map((_, index) => index + 1));
  const place = (type: string, key: string) => placeOf(events, type, taskOf(ended.tasks, key).id);
  const cascade = events
    .slice(place('task.completed', 't1'))
    .map((event) => event.type)
    .filter((type) =>
      [
        'task.completed',
        'contract.fulfilled',
        'dependency.resolved',
        'task.unblocked',
        'task.assigned',
      ].includes(type),
    )
    .slice(0, 11);
  expect(cascade).toEqual([
    'task.completed',
    'contract.fulfilled',
    ...Array.from({ length: 3 }, () => 'dependency.resolved'),
    ...Array.from({ length: 3 }, () => 'task.unblocked'),
    ...Array.from({ length: 3 }, () => 'task.assigned'),
  ]);
  for (const upstream of ['t2', 't3', 't4']) {
    expect(place('task.completed', upstream)).toBeLessThan(place('task.started', 't6'));
  }
});
