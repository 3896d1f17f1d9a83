import { expect, test } from 'vitest';
import { makeRepo } from './support/repo.ts';
import { runBaton } from './support/process.ts';
import { taskOf, untilEnded } from './support/run.ts';
import { startFleetWorker, startTower, tempDir, until, type Tower } from './support/tower.ts';

const post = async (
  tower: Tower,
  path: string,
  body: unknown,
  token = tower.apiKey,
): Promise<{ status: number; problem: Record<string, unknown> }> => {
  const response = await fetch(`${tower.url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    problem: (await response.json()) as Record<string, unknown>,
  };
};

test('every kind of bad input gets a clear message that names the way out, and nothing is made', async () => {
  const tower = await startTower();
  const refused = async (plan: unknown, code: string, words: RegExp, status = 422) => {
    const { status: got, problem } = await post(tower, '/runs', { goal: 'x', plan });
    expect(problem).toMatchObject({ code, detail: expect.stringMatching(words) as string });
    expect(got).toBe(status);
  };
  const two = [
    { key: 'a', spec: 'x' },
    { key: 'b', spec: 'x' },
  ];
  await refused(
    {
      tasks: two,
      dependencies: [
        { upstream: 'a', downstream: 'b' },
        { upstream: 'b', downstream: 'a' },
      ],
    },
    'cycle',
    /a -> b -> a|b -> a -> b/,
  );
  await refused(
    {
      tasks: two,
      dependencies: [{ upstream: 'a', downstream: 'b', type: 'input', contract_key: 'api' }],
    },
    'unknown_contract',
    /api/,
  );
  await refused(
    { tasks: [{ key: 'a', spec: 'x', outputs: [{ key: 'n', schema: { type: 'objekt' } }] }] },
    'invalid_schema',
    /\bn\b/,
  );
  await refused(
    { tasks: [{ key: 'a', spec: 'x', needs: { engine: 'cluade' } }] },
    'unknown_engine',
    /claude/,
  );
  await refused({ tasks: [...two, { key: 'a', spec: '' }] }, 'duplicate_key', /\ba\b/);
  await refused(
    { tasks: two, dependencies: [{ upstream: 'a', downstream: 'z' }] },
    'unknown_task',
    /\bz\b/,
  );

  const long = await post(tower, '/runs', { goal: 'g'.repeat(2_000_000) });
  expect(long).toMatchObject({ status: 400, problem: { code: 'bad_request' } });
  expect(JSON.stringify(long.problem)).toMatch(/goal/);
  expect(JSON.stringify(long.problem)).toMatch(/20000|20,000/);
  const huge = await post(tower, '/tasks', { spec: 's'.repeat(2_000_000) });
  expect(huge).toMatchObject({ status: 413, problem: { code: 'body_too_large' } });
  const typo = await post(tower, '/runs', { gaol: 'x' });
  expect(typo).toMatchObject({ status: 400, problem: { code: 'unknown_field' } });
  expect(JSON.stringify(typo.problem)).toMatch(/goal/);
  const broken = await post(tower, '/runs', '{"goal": ');
  expect(broken).toMatchObject({ status: 400 });

  for (const token of [
    '',
    'nonsense',
    `${tower.apiKey.slice(0, -1)}0`,
    tower.apiKey.replace('bat_', 'batw_'),
  ]) {
    expect(await post(tower, '/runs', { goal: 'x' }, token)).toMatchObject({
      status: 401,
      problem: { code: 'unauthenticated' },
    });
  }
  const { items } = await tower.client.call('listRuns', {});
  expect(items).toEqual([]);
});

test('a repository that is not there fails the task with words that name it', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'w');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'x',
      plan: {
        tasks: [
          { key: 'gone', kind: 'command', spec: 'true', workspace: { repo: '/nowhere/at/all' } },
        ],
      },
    },
  });
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('failed');
  expect(taskOf(tasks, 'gone').reason).toMatch(/nowhere/);
});

test('a missing branch fails the task with words that name it', async () => {
  const repo = makeRepo(tempDir('repo'), { 'a.txt': 'a\n' });
  const tower = await startTower();
  await startFleetWorker(tower, 'w');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'x',
      plan: {
        tasks: [{ key: 'a', kind: 'command', spec: 'true', workspace: { repo, ref: 'no-such' } }],
      },
    },
  });
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('failed');
  const { items } = await tower.client.call('listAttempts', {
    params: { id: taskOf(tasks, 'a').id },
  });
  expect(items[0]?.reason).toMatch(/no-such/);
});

test('a second server on the same data directory is refused with the pid of the first', async () => {
  const tower = await startTower();
  const second = await runBaton(['server', '--port', '0', '--data-dir', tower.dataDir]);
  expect(second.code).not.toBe(0);
  expect(second.stderr).toContain(String(tower.process.child.pid));
});

test('a port in use is named, with the flag that changes it', async () => {
  const tower = await startTower();
  const port = new URL(tower.url).port;
  const other = await runBaton(['server', '--port', port, '--data-dir', tempDir('other')]);
  expect(other.code).not.toBe(0);
  expect(other.stderr).toContain(port);
  expect(other.stderr).toContain('--port');
});

test('a stale epoch is refused with its code', async () => {
  const tower = await startTower();
  const { token } = await tower.client.call('createWorkerToken', { body: {} });
  const worker = await tower.client.call('registerWorker', {
    body: { token, name: 'curl', capabilities: { engines: ['shell'] } },
  });
  const asWorker = (path: string, body: unknown) => post(tower, path, body, worker.key);
  await tower.client.call('createRun', {
    body: { goal: 'x', plan: { tasks: [{ key: 'a', kind: 'command', spec: 'true' }] } },
  });
  let given: { readonly id: string; readonly epoch: number } | undefined;
  await until('there is work', async () => {
    const claimed = await asWorker(`/workers/${worker.id}/claim?wait=10`, { max: 1 });
    given = (claimed.problem['items'] as { attempt: { id: string; epoch: number } }[])[0]?.attempt;
    return given !== undefined;
  });
  const { id = '', epoch = 0 } = given ?? {};
  expect(await asWorker(`/attempts/${id}/start`, { epoch: epoch - 1 })).toMatchObject({
    status: 409,
    problem: { code: 'stale_epoch' },
  });
  expect(await asWorker(`/attempts/${id}/start`, { epoch })).toMatchObject({ status: 200 });
  expect(
    await asWorker(`/attempts/${id}/complete`, {
      epoch,
      result: { status: 'success', summary: '' },
    }),
  ).toMatchObject({ status: 200 });
  const again = { epoch, result: { status: 'success', summary: '' } };
  expect(await asWorker(`/attempts/${id}/complete`, again)).toMatchObject({ status: 200 });
  const other = { epoch, result: { status: 'success', summary: 'another' } };
  expect(await asWorker(`/attempts/${id}/complete`, other)).toMatchObject({
    status: 409,
    problem: { code: 'completion_conflict' },
  });
});
