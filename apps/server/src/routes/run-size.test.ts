import type { Problem, Run } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(freshDatabases, { tasksPerRunMax: 3, dependenciesPerRunMax: 2 });
});
afterAll(async () => {
  await server.stop();
});

function planOf(tasks: number, edges: readonly (readonly [string, string])[] = []) {
  return {
    tasks: Array.from({ length: tasks }, (_, at) => ({
      key: `t${at}`,
      kind: 'command',
      spec: 'true',
    })),
    dependencies: edges.map(([upstream, downstream]) => ({ upstream, downstream })),
  };
}

const submit = (plan: object) =>
  server.ask<Problem & { run: Run }>('POST', '/runs', { body: { goal: 'x', plan } });

test('a run that is larger than the operator allows is refused with the name of the setting', async () => {
  const tasks = await submit(planOf(4));
  expect(tasks).toMatchObject({ status: 422, body: { code: 'limit_exceeded' } });
  expect(tasks.body.detail).toContain('BATON_TASKS_PER_RUN_MAX');
  const edges = await submit(
    planOf(3, [
      ['t0', 't1'],
      ['t0', 't2'],
      ['t1', 't2'],
    ]),
  );
  expect(edges.body).toMatchObject({ code: 'limit_exceeded' });
  expect(edges.body.detail).toContain('BATON_DEPENDENCIES_PER_RUN_MAX');
  const checked = await server.ask<{ ok: boolean; problems: { code: string }[] }>(
    'POST',
    '/runs/validate',
    { body: { goal: 'x', plan: planOf(4) } },
  );
  expect(checked.body).toMatchObject({ ok: false, problems: [{ code: 'limit_exceeded' }] });
});

test('one that fits is taken, and says why it waits', async () => {
  const made = await submit(planOf(3));
  expect(made.status).toBe(201);
  const { body } = await server.ask('GET', `/runs/${made.body.run.id}/explain`);
  expect(body).toMatchObject({
    status: 'running',
    sentence: 'It waits for a worker or a free place for t0, t1, t2.',
    next: 'see: baton task explain t0',
  });
});

test('more tasks than any schema would say are counted by the operator too', async () => {
  const { status, body } = await submit(planOf(10_001));
  expect([status, body.code]).toEqual([422, 'limit_exceeded']);
});
