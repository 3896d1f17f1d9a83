import { API_BASE, type Problem } from '@baton/contract';
import { connect } from 'node:net';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
let host: string;

beforeAll(async () => {
  server = await startTestServer(freshDatabases);
  host = new URL(server.url).host;
});
afterAll(async () => {
  await server.stop();
});

interface Raw {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are and reads until the server closes. */
async function raw(lines: readonly string[], body = ''): Promise<Raw> {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  const pieces: Buffer[] = [];
  try {
    for await (const piece of socket as AsyncIterable<Buffer>) pieces.push(piece);
  } catch (error) {
    // Who is refused before all was read may be cut off right behind the answer.
    if (pieces.length === 0) throw error;
  }
  const [head = '', ...rest] = Buffer.concat(pieces).toString().split('\r\n\r\n');
  return { status: Number(head.slice(9, 12)), head, body: rest.join('\r\n\r\n') };
}

const auth = (): string => `authorization: Bearer ${server.key}`;

describe('the name under which it is asked', () => {
  test.each([
    'evil.test',
    'localhost',
    '127.0.0.1',
    'localhost.:PORT',
    '127.0.0.1.nip.io:PORT',
    '0.0.0.0:PORT',
    '[::]:PORT',
    '',
  ])('the host %j is refused before anything else, and the flag is named', async (name) => {
    const { port } = new URL(server.url);
    const { status, body } = await raw([
      'GET /healthz HTTP/1.1',
      `host: ${name.replace('PORT', port)}`,
      'connection: close',
    ]);
    expect(status).toBe(421);
    expect(body).toContain('--public-url');
  });

  test('two hosts, an absolute address and a path of two slashes are no requests', async () => {
    const two = await raw([
      'GET /healthz HTTP/1.1',
      `host: ${host}`,
      'host: evil.test',
      'connection: close',
    ]);
    expect(two.status).toBe(400);
    const absolute = await raw([
      'GET http://evil.test/healthz HTTP/1.1',
      `host: ${host}`,
      'connection: close',
    ]);
    expect(absolute.status).toBeOneOf([400, 421]);
    const slashes = await raw(['GET //evil.test/ HTTP/1.1', `host: ${host}`, 'connection: close']);
    expect(slashes.status).toBe(400);
  });

  test('what a proxy would say of it changes nothing', async () => {
    const { status } = await raw([
      'GET /healthz HTTP/1.1',
      'host: evil.test',
      `x-forwarded-host: ${host}`,
      'connection: close',
    ]);
    expect(status).toBe(421);
  });
});

describe('where a change comes from', () => {
  const cases: readonly (readonly [string, Record<string, string>, number])[] = [
    ['another site', { origin: 'https://evil.test' }, 403],
    ['an opaque page', { origin: 'null' }, 403],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a same-site fetch', { 'sec-fetch-site': 'same-site' }, 403],
    ['no page at all', {}, 201],
  ];
  test.each(cases)('%s', async (_, headers, expected) => {
    const { status, headers: answered } = await server.ask('POST', '/tasks', {
      body: { spec: 'x', dispatch: 'manual' },
      headers,
    });
    expect(status).toBe(expected);
    expect(answered.get('access-control-allow-origin')).toBeNull();
  });

  test('our own page', async () => {
    const { status } = await server.ask('POST', '/tasks', {
      body: { spec: 'x', dispatch: 'manual' },
      headers: { origin: server.url, 'sec-fetch-site': 'same-origin' },
    });
    expect(status).toBe(201);
  });

  test('forms and plain text change nothing, whatever the credential', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
    ]) {
      const { status, body } = await server.ask<Problem>('POST', '/tasks', {
        body: '{"spec":"x"}',
        headers: { 'content-type': type },
      });
      expect([type, status, body.code]).toEqual([type, 415, 'unsupported_media_type']);
    }
  });

  test('a preflight is not answered', async () => {
    const { status, headers } = await server.ask('OPTIONS', '/tasks', {
      headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
    });
    expect(status).toBe(405);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test('reads change nothing, and the method cannot be overridden', async () => {
    const before = await server.ask('GET', '/tasks?limit=1000');
    await server.ask('GET', '/tasks', { headers: { 'x-http-method-override': 'POST' } });
    expect((await server.ask('GET', '/tasks?limit=1000')).body).toEqual(before.body);
  });
});

describe('malformed input', () => {
  const post = (body: string): Promise<{ status: number; body: Problem }> =>
    server.ask<Problem>('POST', '/tasks', { body });
  const bodies: readonly (readonly [string, string, number])[] = [
    ['half an object', '{"spec":', 400],
    ['an array', '[]', 400],
    ['a number', '1', 400],
    ['null', 'null', 400],
    ['U+0000', '{"spec":"a\\u0000"}', 400],
    ['half a surrogate pair', '{"spec":"\\ud800"}', 400],
    ['a number beyond all', '{"spec":"x","lease_seconds":1e400}', 400],
    ['an integer beyond exactness', '{"spec":"x","lease_seconds":9007199254740993}', 400],
    ['deep nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
    [
      'many values',
      `{"env":{${Array.from({ length: 110_000 }, (_, i) => `"${i}":1`).join(',')}}}`,
      413,
    ],
    ['__proto__', '{"__proto__":{"admin":true}}', 400],
    ['an unknown field', '{"spek":"x"}', 400],
    ['a wrong type', '{"spec":{}}', 400],
  ];
  test.each(bodies)('%s', async (_, text, expected) => {
    const { status, body } = await post(text);
    expect(status).toBe(expected);
    expect(body).toMatchObject({ status: expected, detail: expect.any(String), retry: false });
  });

  test('an unknown field is answered with the nearest known one', async () => {
    const { body } = await post('{"titel":"x"}');
    expect(body.code).toBe('unknown_field');
    expect(body.detail).toContain('"title"');
    expect(body.violations).toEqual([
      { path: '', message: 'there is no field "titel"; did you mean "title"?' },
    ]);
  });

  test('a goal of 2 MB is refused with the bound that it breaks', async () => {
    const goal = 'x'.repeat(2 * 1024 * 1024);
    const { status, body } = await server.ask<Problem>('POST', '/runs', { body: { goal } });
    expect(status).toBe(400);
    expect(body.detail).toContain('goal');
    expect(body.detail).toContain('20000');
    const task = await server.ask<Problem>('POST', '/tasks', { body: { spec: goal } });
    expect([task.status, task.body.code]).toEqual([413, 'body_too_large']);
  });

  const paths = [
    '/runs/%00',
    '/runs/%ff',
    '/runs/%E0%A4%A',
    '/runs/..%2f..%2fetc',
    `/runs/${'a'.repeat(5_000)}`,
    "/runs/'; drop table runs; --",
    '/tasks?text=%00',
    '/tasks?limit=0',
    '/tasks?limit=1e9',
    '/tasks?limit=-1',
    '/tasks?limit=abc',
    '/tasks?cursor=nonsense',
    '/tasks?nonsense=1',
    '/tasks?status=nonsense',
    `/tasks?${'status=a&'.repeat(1_000)}`,
    '/tasks?label=a%3Db%3Dc%27',
    '/events?after=1.99999999999999999999',
    '/events?after=%F0%9F%98%80',
    '/runs/%F0%9F%98%80',
    '/tasks?text=%25_%5C',
  ];
  test.each(paths)('%s is answered with less than 500', async (path) => {
    const { status } = await server.ask('GET', path);
    expect(status).toBeLessThan(500);
  });

  test('headers out of shape are answered with less than 500', async () => {
    for (const headers of [
      { 'idempotency-key': 'x'.repeat(300) },
      { 'idempotency-key': 'with space' },
      { 'x-baton-project': '%00' },
      { 'last-event-id': 'nonsense' },
      { 'content-encoding': 'gzip' },
    ]) {
      const { status } = await server.ask('POST', '/tasks', { body: { nonsense: 1 }, headers });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    const long = await raw([
      'GET /healthz HTTP/1.1',
      `host: ${host}`,
      `x-long: ${'a'.repeat(64 * 1024)}`,
      'connection: close',
    ]);
    expect(long.status).toBe(431);
    expect((await raw(['nonsense'])).status).toBe(400);
  });

  test('invalid UTF-8 in a body is refused', async () => {
    const body = '"\xff"';
    const { status } = await raw(
      [
        `POST ${API_BASE}/tasks HTTP/1.1`,
        `host: ${host}`,
        auth(),
        'content-type: application/json',
        `content-length: ${body.length}`,
        'connection: close',
      ],
      body,
    );
    expect(status).toBe(400);
  });

  test('a body without end is cut off at the limit', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      [
        `POST ${API_BASE}/tasks HTTP/1.1`,
        `host: ${host}`,
        auth(),
        'content-type: application/json',
        'transfer-encoding: chunked',
        '',
        '',
      ].join('\r\n'),
    );
    let answer = '';
    socket.on('data', (piece: Buffer) => {
      answer += piece.toString();
    });
    const piece = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    // A server that has answered may read no further: then a piece is never taken.
    const heard = new Promise<void>((resolve) => {
      socket.once('data', () => resolve());
      socket.once('close', () => resolve());
    });
    for (let sent = 0; sent < 64 && answer === '' && !socket.destroyed; sent++) {
      await Promise.race([heard, new Promise((resolve) => socket.write(piece, resolve))]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => answer).toContain('413');
    socket.destroy();
  });

  test('nothing of all this was a fault of ours', () => {
    const faults = server.logged.filter(
      (line) => (JSON.parse(line) as { level: number }).level >= 50,
    );
    expect(faults).toEqual([]);
  });
});

describe('answers', () => {
  const everywhere = [
    ['GET', '//healthz', 200],
    ['GET', '//', 200],
    ['GET', '//docs', 200],
    ['GET', '//docs/swagger-ui.css', 200],
    ['GET', '//nowhere.css', 404],
    ['GET', '/me', 200],
    ['GET', '/nowhere', 404],
    ['GET', '/runs/run_nowhere', 404],
    ['DELETE', '/runs', 405],
    ['POST', '/tasks', 400],
    ['GET', '/tasks?limit=x', 400],
  ] as const;
  test.each(everywhere)('%s %s (%i) has strict headers', async (method, path, expected) => {
    const { status, headers } = await server.ask(
      method,
      path,
      method === 'POST' ? { body: '{' } : {},
    );
    expect(status).toBe(expected);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('server')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
    if (!path.startsWith('//')) expect(headers.get('cache-control')).toBe('no-store');
  });

  test('a refusal is a problem document with a stable code', async () => {
    const { headers, body } = await server.ask<Problem>('GET', '/runs/nowhere');
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Not found',
      status: 404,
      code: 'not_found',
      detail: 'There is no run "nowhere".',
      instance: headers.get('x-request-id'),
      retry: false,
      facts: {},
    });
  });

  test('a wrong method names the right ones', async () => {
    const { status, headers, body } = await server.ask<Problem>('PUT', '/runs');
    expect([status, body.code, headers.get('allow')]).toEqual([
      405,
      'method_not_allowed',
      'GET, HEAD, POST',
    ]);
  });

  test('a fault of ours says nothing but the id that the log has', async () => {
    const { reads } = server.app;
    const broken = Object.assign(reads, {
      listWorkers: () => Promise.reject(new Error('secret detail')),
    });
    const { status, body } = await server.ask<Problem>('GET', '/workers');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(
      server.logged.some(
        (line) => line.includes('secret detail') && line.includes(body.instance ?? '?'),
      ),
    ).toBe(true);
    expect(broken).toBe(reads);
  });
});
