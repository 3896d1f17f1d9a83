import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openDoor, socketExchange } from './supervisor-door.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: { readonly id?: string; readonly kind?: string; readonly body?: unknown } | null;
}
type Reply = readonly [status: number, body: unknown];

let server: Server | undefined;
const dir = mkdtempSync(join(tmpdir(), 'baton-door-'));
const path = join(dir, 's');

afterEach(async () => {
  const open = server;
  server = undefined;
  open?.closeAllConnections();
  await new Promise((resolve) => (open === undefined ? resolve(0) : open.close(resolve)));
  rmSync(path, { force: true });
});
afterAll(() => rmSync(dir, { recursive: true }));

async function serve(replies: readonly Reply[]): Promise<Asked[]> {
  const asked: Asked[] = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      const [status, body] = replies[asked.length] ?? [500, null];
      asked.push({
        method: request.method ?? '',
        path: (request.url ?? '').replace(/wait=[\d.]+/, 'wait=N'),
        body: text === '' ? null : (JSON.parse(text) as Asked['body']),
      });
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server?.listen(path, resolve));
  return asked;
}

const { signal } = new AbortController();
const door = () => openDoor(socketExchange(path, signal), signal);
const decided = (option: string) => ({
  status: 'resolved',
  resolution: { option, reason: null, by: 'ann', via: 'cli', at: '2030-01-01T00:00:00.000Z' },
});

describe("an attempt's socket", () => {
  test('gives the task as it was handed out', async () => {
    const asked = await serve([[200, { inputs: { api: 1 } }]]);
    await expect(door().task()).resolves.toEqual({ inputs: { api: 1 } });
    expect(asked).toEqual([{ method: 'GET', path: '/task', body: null }]);
  });

  test('takes what an agent says under a fresh id each', async () => {
    const asked = await serve([
      [200, {}],
      [200, {}],
    ]);
    await expect(door().progress({ percent: 5, text: 'x' })).resolves.toMatchObject({
      state: 'accepted',
    });
    await door().setOutput('api', { a: 1 });
    expect(asked.map(({ method, path: to, body }) => [method, to, body?.kind, body?.body])).toEqual(
      [
        ['POST', '/requests?wait=N', 'progress', { percent: 5, text: 'x' }],
        ['POST', '/requests?wait=N', 'output', { key: 'api', data: { a: 1 } }],
      ],
    );
    expect(asked[0]?.body?.id).not.toBe(asked[1]?.body?.id);
  });

  test("throws a refusal with the server's code and words", async () => {
    await serve([
      [422, { code: 'contract_violation', status: 422, detail: '/a must be a string' }],
    ]);
    await expect(door().setOutput('api', {})).rejects.toMatchObject({
      code: 'contract_violation',
      message: '/a must be a string',
    });
  });

  test('asks again until the decision is there', async () => {
    const asked = await serve([
      [202, { pending: true }],
      [202, { pending: true }],
      [200, decided('jwt')],
    ]);
    const question = { question: 'JWT or cookies?', options: ['jwt', 'cookies'] };
    const answer = await door().ask(question, Number.POSITIVE_INFINITY);
    expect(answer).toMatchObject({ yield: false, resolution: { option: 'jwt' } });
    const id = asked[0]?.body?.id ?? '';
    expect(asked.map(({ method, path: to }) => [method, to])).toEqual([
      ['POST', '/requests?wait=N'],
      ['GET', `/requests/${id}?wait=N`],
      ['GET', `/requests/${id}?wait=N`],
    ]);
  });

  test('knows the same question again after its call was cut', async () => {
    const asked = await serve([
      [200, decided('a')],
      [200, decided('a')],
      [200, decided('a')],
    ]);
    await door().ask({ question: 'same?' }, 1_000);
    await door().ask({ question: 'same?' }, 1_000);
    await door().ask({ question: 'other?' }, 1_000);
    const ids = asked.map(({ body }) => body?.id);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('says that there is no answer yet when the time to wait is over', async () => {
    await serve([[202, { pending: true }]]);
    await expect(door().ask({ question: 'x' }, 0)).resolves.toBeUndefined();
  });

  test('tells a question that was closed without an answer', async () => {
    await serve([[200, { status: 'cancelled', resolution: null }]]);
    await expect(door().ask({ question: 'x' }, 1_000)).rejects.toMatchObject({
      code: 'checkpoint_closed',
    });
  });

  test('says that the attempt has probably ended when nobody listens', async () => {
    await expect(door().task()).rejects.toMatchObject({ code: 'control_plane_unreachable' });
  });
});
