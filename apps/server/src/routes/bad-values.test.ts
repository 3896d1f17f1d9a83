import type { Assignment, Problem, TaskDetail } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
let worker: { readonly id: string; readonly key: string };

beforeAll(async () => {
  server = await startTestServer(freshDatabases);
  worker = await server.addWorker('plain');
});
afterAll(async () => {
  await server.stop();
});

async function begin(spec: object = {}): Promise<Assignment> {
  const made = await server.ask<TaskDetail>('POST', '/tasks', {
    body: { kind: 'command', spec: 'true', ...spec },
  });
  expect(made.status).toBe(201);
  const { body } = await server.ask<{ items: Assignment[] }>(
    'POST',
    `/workers/${worker.id}/claim?wait=10`,
    { key: worker.key, body: {} },
  );
  const [only] = body.items;
  if (only === undefined) throw new Error('nothing was claimed');
  expect((await write(only, 'start', {})).status).toBe(200);
  return only;
}

function write(to: Assignment, verb: string, body: object) {
  return server.ask<Problem>('POST', `/attempts/${to.attempt.id}/${verb}`, {
    key: worker.key,
    body: { epoch: to.attempt.epoch, ...body },
  });
}

async function end(it: Assignment): Promise<void> {
  const { status } = await write(it, 'complete', { result: { status: 'success', summary: '' } });
  expect(status).toBe(200);
}

describe('a value that no column can hold', () => {
  test.each([
    [
      'an exit code',
      'complete',
      { exit_code: 2 ** 40, result: { status: 'success', summary: '' } },
    ],
    ['an exit code', 'fail', { exit_code: -(2 ** 40), reason: 'x' }],
  ])('is refused: %s of %s', async (_what, verb, body) => {
    const it = await begin();
    const { status, body: problem } = await write(it, verb, body);
    expect([status, problem.code]).toEqual([400, 'bad_request']);
    await end(it);
  });

  test.each(['1e30', '9223372036854.775807', '9e15', '1e400', '-5', 'much'])(
    'is no reason to lose a report: %s dollars',
    async (usd) => {
      const it = await begin();
      expect((await write(it, 'progress', { usage: { usd } })).status).toBe(200);
      const done = { usage: { usd }, result: { status: 'success', summary: '' } };
      expect((await write(it, 'complete', done)).status).toBe(200);
      const { status } = await server.ask('GET', `/runs/${it.run.id}`);
      expect(status).toBe(200);
    },
  );

  test('is refused where it would move an instant beyond the calendar', async () => {
    const expected = [400, 'bad_request'];
    const ask = async (path: string, body: object) => {
      const answer = await server.ask<Problem>('POST', path, { body });
      return [answer.status, answer.body.code];
    };
    const task = { kind: 'command', spec: 'true', dispatch: 'manual' };
    for (const retry of [
      { backoff_seconds: 1e300 },
      { factor: 1e300 },
      { max_backoff_seconds: 1e300 },
    ]) {
      expect(await ask('/tasks', { ...task, retry })).toEqual(expected);
    }
    const made = await server.ask<TaskDetail>('POST', '/tasks', { body: task });
    const checkpoint = { question: 'q', timeout_seconds: 1e300 };
    expect(await ask(`/tasks/${made.body.id}/checkpoints`, checkpoint)).toEqual(expected);
    const key = { name: 'k', scopes: ['read'], expires_in: Number.MAX_SAFE_INTEGER };
    expect(await ask('/api-keys', key)).toEqual(expected);
  });
});

test('a cursor that was tampered with is refused, whatever stands in it', async () => {
  for (let i = 0; i < 2; i++) {
    const body = { kind: 'command', spec: 'true', dispatch: 'manual' };
    await server.ask('POST', '/tasks', { body });
    await server.addWorker(`paged-${i}`);
    await server.addKey(server.project, ['read']);
  }
  for (const path of ['/runs', '/tasks', '/api-keys', '/workers']) {
    const page = await server.ask<{ next_cursor: string }>('GET', `${path}?limit=1`);
    const [hash, key] = JSON.parse(Buffer.from(page.body.next_cursor, 'base64url').toString());
    for (const field of Object.keys(key)) {
      for (const value of [1e308, -8.64e15, 9e15, 1e16, '\u0000', '\ud800', null, []]) {
        const text = JSON.stringify([hash, { ...key, [field]: value }]);
        const cursor = Buffer.from(text).toString('base64url');
        const answer = await server.ask<Problem>('GET', `${path}?limit=1&cursor=${cursor}`);
        expect([path, text, answer.status, answer.body.code]).toEqual([
          path,
          text,
          400,
          'bad_cursor',
        ]);
      }
    }
  }
});

test('a contract may be named as what every object has', async () => {
  const outputs = ['constructor', 'toString', 'valueOf', 'note'].map((key) => ({
    key,
    schema: { type: 'string' },
    required: key === 'constructor',
  }));
  const it = await begin({ outputs });
  const none = await write(it, 'complete', {
    result: { status: 'success', summary: '', contracts: { note: 'n' } },
  });
  expect([none.status, none.body.code]).toEqual([422, 'contract_violation']);
  const all = { constructor: 'c', note: 'n' };
  const done = await write(it, 'complete', {
    result: { status: 'success', summary: '', contracts: all },
  });
  expect(done.status).toBe(200);
  const { body } = await server.ask<TaskDetail>('GET', `/tasks/${it.task.id}`);
  expect(Object.fromEntries(body.outputs.map(({ key, data }) => [key, data]))).toEqual(all);
});
