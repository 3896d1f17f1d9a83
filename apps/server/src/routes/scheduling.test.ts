import type { Assignment, Budget, Explanation, Limit, Problem, Run, Task } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
let worker: { readonly id: string; readonly key: string };

beforeAll(async () => {
  server = await startTestServer(freshDatabases);
  worker = await server.addWorker('plain', { slots: 20 });
});
afterAll(async () => {
  await server.stop();
});

async function create(fields: object): Promise<Task> {
  const { body } = await server.ask<Task>('POST', '/tasks', {
    body: { kind: 'command', spec: 'true', ...fields },
  });
  return body;
}

async function claim(max = 20): Promise<Assignment[]> {
  const path = `/workers/${worker.id}/claim?wait=0`;
  const { body } = await server.ask<{ items: Assignment[] }>('POST', path, {
    key: worker.key,
    body: { max },
  });
  return body.items;
}

async function write(assignment: Assignment, verb: string, body: object): Promise<number> {
  const path = `/attempts/${assignment.attempt.id}/${verb}`;
  const answer = await server.ask('POST', path, {
    key: worker.key,
    body: { epoch: assignment.attempt.epoch, ...body },
  });
  return answer.status;
}

const done = { result: { status: 'success', summary: '' } };
const explain = async (task: string) =>
  (await server.ask<Explanation>('GET', `/tasks/${task}/explain`)).body;

describe('limits', () => {
  test('are set, listed with who holds them, explained, and taken away', async () => {
    const key = encodeURIComponent('repo:https://Git.example/acme/x.git');
    const set = await server.ask<Limit>('PUT', `/limits/${key}`, { body: { max_running: 1 } });
    expect(set).toMatchObject({
      status: 200,
      body: { key: 'repo:git.example/acme/x', running: 0 },
    });
    const put = await server.ask<Limit>('PUT', '/limits/deploy', { body: { max_running: 1 } });
    expect(put.status).toBe(200);
    expect(await claim()).toEqual([]);
    const first = await create({ concurrency: ['deploy'], key: 'first' });
    const second = await create({ concurrency: ['deploy'], key: 'second' });
    // The one place goes to what came first.
    expect((await explain(first.id)).winner).toBe('plain');
    expect(await explain(second.id)).toMatchObject({
      winner: null,
      sentence: 'It is ready; other work is before it in the queue of plain.',
    });
    const [assignment] = await claim();
    if (assignment === undefined) throw new Error('nothing was handed out');
    await write(assignment, 'start', {});
    expect(assignment.task.id).toBe(first.id);
    expect(await claim()).toEqual([]);
    const { body } = await server.ask<{ items: Limit[] }>('GET', '/limits');
    expect(body.items.find((it) => it.key === 'deploy')).toMatchObject({
      running: 1,
      holders: [{ task: first.id, key: 'first' }],
    });
    expect(await explain(second.id)).toMatchObject({
      sentence: 'It is ready and may not start: the limit of deploy is reached, held by first.',
      holds: [{ kind: 'limit', by: ['first'] }],
      winner: null,
    });
    expect(await write(assignment, 'complete', done)).toBe(200);
    const [next] = await claim();
    expect(next?.task.id).toBe(second.id);
    if (next !== undefined) await write(next, 'complete', done);
    expect((await server.ask('DELETE', '/limits/deploy')).status).toBe(204);
    expect((await server.ask<Problem>('DELETE', '/limits/deploy')).body.code).toBe('not_found');
  });

  test.each<[object, string]>([
    [{}, 'neither bound'],
    [{ max_running: -1 }, 'less than nothing'],
    [{ rate_per_minute: 0 }, 'no rate'],
    [{ max_runing: 1 }, 'a typing error'],
  ])('%j is refused: %s', async (body) => {
    const answer = await server.ask<Problem>('PUT', '/limits/x', { body });
    expect(answer.status).toBe(400);
  });
});

describe('budgets', () => {
  test('are set aside, pause what spent them, and go on when raised', async () => {
    const worker2 = await server.addWorker('agents', { slots: 2 });
    await server.ask('POST', `/workers/${worker2.id}/drain`, { body: {} });
    const { body: made } = await server.ask<{ run: Run; tasks: Task[] }>('POST', '/runs', {
      body: {
        goal: 'spend',
        deliver: 'none',
        budgets: { usd: '1.5' },
        plan: {
          tasks: ['a', 'b', 'c'].map((key) => ({ key, needs: { engine: 'shell' } })),
        },
      },
    });
    const run = made.run.id;
    const list = async () =>
      (await server.ask<{ items: Budget[] }>('GET', `/budgets?run=${run}`)).body.items;
    expect(await list()).toMatchObject([{ scope: 'run', id: run, limit_usd: '1.5' }]);
    const raised = await server.ask<Budget>('PUT', `/budgets/${run}`, { body: { usd: 3 } });
    expect(raised.body).toMatchObject({ limit_usd: '3', spent_usd: '0', exhausted: false });
    expect((await server.ask('DELETE', `/budgets/${run}`)).status).toBe(204);
    expect(await list()).toEqual([]);
    const project = await server.ask<Budget>('PUT', `/budgets/${server.project}`, {
      body: { usd: '10', reserve_usd: '0.5' },
    });
    expect(project.body).toMatchObject({ scope: 'project', reserve_usd: '0.5' });
    expect((await server.ask('DELETE', `/budgets/${server.project}`)).status).toBe(204);
    const bad = await server.ask<Problem>('PUT', `/budgets/${run}`, { body: { usd: '-3' } });
    expect(bad.status).toBe(400);
    expect((await server.ask('PUT', '/budgets/run_none', { body: { usd: 1 } })).status).toBe(404);
    await server.ask('POST', `/runs/${run}/cancel`, { body: {} });
  });
});

test('a limit that a provider names is shown with its reset', async () => {
  const task = await create({ key: 'limited' });
  const assignment = (await claim()).find((it) => it.task.id === task.id);
  if (assignment === undefined) throw new Error('it was not handed out');
  await write(assignment, 'start', {});
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const failed = { reason: 'usage limit', failure_class: 'rate_limited', retry_at: until };
  expect(await write(assignment, 'fail', failed)).toBe(200);
  const { body } = await server.ask<{ items: object[] }>('GET', '/parkings');
  expect(body.items).toMatchObject([{ engine: 'shell', worker_name: 'plain', until }]);
  const told = await explain(task.id);
  expect(told).toMatchObject({ status: 'waiting', facts: { reason: 'rate_limited' } });
  expect(told.sentence).toContain(until);
});
