import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError, type Event } from '@baton/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient, problemOf, type Client } from './index.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Handler = (request: Seen, response: ServerResponse, nth: number) => void;

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(handler: Handler): Promise<{ client: Client; seen: Seen[]; url: string }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const it = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(it);
      handler(it, response, seen.length);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createClient({
    baseUrl: `${url}/`,
    token: 'bat_secret',
    retryBackoff: { minMs: 1, maxMs: 2 },
  });
  return { client, seen, url };
}

function reply(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function problemBody(code: string, status: number, detail = 'why') {
  return {
    type: 'about:blank',
    title: code,
    status,
    code,
    detail,
    retry: status >= 429,
    facts: {},
  };
}

describe('a call', () => {
  test('goes where the route table says, with its key, query and body', async () => {
    const { client, seen } = await serve((_, response) => reply(response, 200, { id: 'run_1' }));
    await client.call('listTasks', { query: { status: ['ready', 'running'], limit: 5 } });
    await client.call('cancelRun', { params: { id: 'run/1' }, body: { reason: 'enough' } });
    expect(seen.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
      { method: 'GET', url: '/api/v1/tasks?status=ready%2Crunning&limit=5', body: '' },
      { method: 'POST', url: '/api/v1/runs/run%2F1/cancel', body: '{"reason":"enough"}' },
    ]);
    expect(seen[0]?.headers.authorization).toBe('Bearer bat_secret');
    expect(seen[1]?.headers['content-type']).toBe('application/json');
  });

  test('sends an empty object where all fields of the body are optional', async () => {
    const { client, seen } = await serve((_, response) => reply(response, 200, {}));
    await client.call('retryTask', { params: { id: 'task_1' } });
    expect(seen[0]?.body).toBe('{}');
  });

  test('throws the problem document as an AppError with its code, facts and violations', async () => {
    const document = {
      ...problemBody('cycle', 422, 'The graph has a cycle: a -> b -> a.'),
      facts: { keys: ['a', 'b'], deep: { x: 1 } },
      violations: [{ path: 'plan.tasks.0.key', message: 'bad' }],
    };
    const { client } = await serve((_, response) => reply(response, 422, document));
    const error: unknown = await client.runs.create({ goal: 'x' }).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(AppError);
    if (!(error instanceof AppError)) return;
    expect({ code: error.code, message: error.message, detail: error.publicDetail }).toEqual({
      code: 'cycle',
      message: 'The graph has a cycle: a -> b -> a.',
      detail: { keys: ['a', 'b'], status: 422, violations: ['plan.tasks.0.key: bad'] },
    });
    expect(problemOf(error)).toMatchObject(document);
  });

  test('takes the status for a code that this client does not know', async () => {
    const { client } = await serve((_, response) =>
      reply(response, 409, problemBody('invented_later', 409)),
    );
    await expect(client.call('getRun', { params: { id: 'x' } })).rejects.toMatchObject({
      code: 'wrong_status',
    });
  });

  test('says so when something else than Baton answers', async () => {
    const { client } = await serve((_, response) => response.end('<html>hello</html>'));
    await expect(client.keys.me()).rejects.toMatchObject({ code: 'control_plane_unreachable' });
  });

  test('names the address when nobody answers', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:1', retriesMax: 0 });
    await expect(client.keys.me()).rejects.toThrow('http://127.0.0.1:1');
  });
});

describe('retrying', () => {
  const failTwice: Handler = (_, response, nth) =>
    nth <= 2
      ? reply(response, 503, problemBody('store_unavailable', 503))
      : reply(response, 200, { id: 'run_1' });

  test('a read is tried again on a code that may be retried', async () => {
    const { client, seen } = await serve(failTwice);
    await expect(client.runs.get('run_1')).resolves.toEqual({ id: 'run_1' });
    expect(seen).toHaveLength(3);
  });

  test('a command is tried again under the same idempotency key', async () => {
    const { client, seen } = await serve(failTwice);
    await client.runs.cancel('run_1');
    const keys = seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(keys)).toEqual(new Set([keys[0]]));
    expect(keys).toHaveLength(3);
  });

  test('two commands never share a key', async () => {
    const { client, seen } = await serve((_, response) => reply(response, 200, {}));
    await client.runs.cancel('run_1');
    await client.runs.cancel('run_1');
    expect(seen[0]?.headers['idempotency-key']).not.toBe(seen[1]?.headers['idempotency-key']);
  });

  test('a refusal is final', async () => {
    const { client, seen } = await serve((_, response) =>
      reply(response, 404, problemBody('not_found', 404)),
    );
    await expect(client.runs.get('run_1')).rejects.toMatchObject({ code: 'not_found' });
    expect(seen).toHaveLength(1);
  });

  test('what has no key and is not a read is sent once', async () => {
    const { client, seen } = await serve(failTwice);
    await expect(client.keys.revoke('key_1')).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(seen).toHaveLength(1);
  });

  test('ends after the bound', async () => {
    const { client, seen } = await serve((_, response) =>
      reply(response, 503, problemBody('draining', 503), { 'retry-after': '0' }),
    );
    await expect(client.runs.get('run_1')).rejects.toMatchObject({ code: 'draining' });
    expect(seen).toHaveLength(4);
  });
});

function eventOf(pos: number, type = 'task.ready'): Event {
  return {
    cursor: `1.${pos}`,
    pos,
    run_seq: pos,
    project: 'prj_1',
    run: 'run_1',
    task: null,
    attempt: null,
    type: type as Event['type'],
    actor: { kind: 'kernel', id: null, name: null },
    cause: null,
    at: '2030-01-01T00:00:00.000Z',
    data: {},
  };
}

function frame(event: Event): string {
  return `id: ${event.cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

const stream = { 'content-type': 'text/event-stream' };
const quick = { minMs: 1, maxMs: 2 };

describe('a feed', () => {
  test('continues behind the last event after the connection broke in the middle of one', async () => {
    const { client, seen } = await serve((_, response, nth) => {
      response.writeHead(200, stream);
      if (nth === 1) {
        response.write(frame(eventOf(1)) + frame(eventOf(2)) + frame(eventOf(3)).slice(0, 20));
        setImmediate(() => response.destroy());
        return;
      }
      response.write(`: hello\n\n${frame(eventOf(3))}`);
    });
    const stop = new AbortController();
    const states: string[] = [];
    const got: number[] = [];
    const feed = client.runs.events('run_1', {
      after: '1.0',
      backoff: quick,
      signal: stop.signal,
      onState: ({ state }) => states.push(state),
    });
    for await (const item of feed) {
      if (item.kind === 'event') got.push(item.event.pos);
      if (got.length === 3) stop.abort();
    }
    expect(got).toEqual([1, 2, 3]);
    expect(seen.map(({ url, headers }) => [url, headers['last-event-id']])).toEqual([
      ['/api/v1/runs/run_1/events', '1.0'],
      ['/api/v1/runs/run_1/events', '1.2'],
    ]);
    expect(seen[0]?.headers.accept).toBe('text/event-stream');
    expect(states).toEqual(['connected', 'reconnecting', 'connected']);
  });

  test('hands a reset on, and does not ask for the lost cursor again', async () => {
    const { client, seen } = await serve((_, response, nth) => {
      response.writeHead(200, stream);
      if (nth === 1) response.end('event: reset\nid: 2.7\ndata: {"cursor":"2.7"}\n\n');
      else response.write(frame({ ...eventOf(8), cursor: '2.8' }));
    });
    const items: unknown[] = [];
    for await (const item of client.events({ run: 'run_1' }, { after: '1.9', backoff: quick })) {
      items.push(item.kind === 'reset' ? item.cursor : item.kind === 'event' && item.event.cursor);
      if (items.length === 2) break;
    }
    expect(items).toEqual(['2.7', '2.8']);
    expect(seen.map(({ headers }) => headers['last-event-id'])).toEqual(['1.9', '2.7']);
  });

  test('starts at the end of the feed when told `now`', async () => {
    const { client, seen } = await serve((_, response) => {
      response.writeHead(200, stream);
      response.write(frame(eventOf(5)));
    });
    for await (const _ of client.events({}, { after: 'now' })) break;
    expect(seen[0]?.url).toBe('/api/v1/events?after=now');
    expect(seen[0]?.headers['last-event-id']).toBeUndefined();
  });

  test('takes a silent connection for a dead one', async () => {
    const { client, seen } = await serve((_, response, nth) => {
      response.writeHead(200, stream);
      response.flushHeaders();
      // On a machine under load the second may be taken for dead as well.
      if (nth >= 2) response.write(frame(eventOf(1)));
    });
    const feed = client.events({}, { idleMsMax: 100, backoff: quick });
    for await (const item of feed) {
      expect(item.kind).toBe('event');
      break;
    }
    expect(seen.length).toBeGreaterThanOrEqual(2);
  });

  test('ends with the error when the stream is refused', async () => {
    const { client, seen } = await serve((_, response) =>
      reply(response, 401, problemBody('unauthenticated', 401)),
    );
    await expect(client.events().next()).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(seen).toHaveLength(1);
  });
});

describe('a log', () => {
  const chunk = (offset: number, data: string) =>
    `id: c${offset}\nevent: log\ndata: ${JSON.stringify({
      attempt: 'att_1',
      stream: 'stdout',
      offset,
      data,
      encoding: 'utf8',
      at: '2030-01-01T00:00:00.000Z',
    })}\n\n`;

  test('gives each byte once although a reconnection sends some again, and ends', async () => {
    const { client } = await serve((_, response, nth) => {
      response.writeHead(200, stream);
      if (nth === 1) response.end(chunk(0, 'käse ') + chunk(6, 'und'));
      else response.end(`${chunk(6, 'und brot')}event: end\ndata: {}\n\n`);
    });
    const decoder = new TextDecoder();
    let text = '';
    for await (const { bytes } of client.tasks.followLogs('task_1', { backoff: quick })) {
      text += decoder.decode(bytes, { stream: true });
    }
    expect(text).toBe('käse und brot');
  });
});

describe('waiting', () => {
  const ended = { status: 'completed', delivery: { state: 'delivered' } };

  test('returns at once what has ended', async () => {
    const { client, seen } = await serve((_, response) => reply(response, 200, ended));
    await expect(client.runs.wait('run_1')).resolves.toEqual(ended);
    expect(seen).toHaveLength(1);
  });

  test('looks again when the stream opens, so that an end in between is not missed', async () => {
    let reads = 0;
    const { client } = await serve((request, response) => {
      if (request.url.includes('/events')) {
        response.writeHead(200, stream);
        response.flushHeaders();
        return;
      }
      reads += 1;
      reply(response, 200, reads === 1 ? { status: 'running', delivery: {} } : ended);
    });
    await expect(client.runs.wait('run_1')).resolves.toEqual(ended);
    expect(reads).toBe(2);
  });

  test('waits for the delivery of a completed run', async () => {
    let reads = 0;
    const { client } = await serve((request, response) => {
      if (request.url.includes('/events')) {
        response.writeHead(200, stream);
        response.write(frame(eventOf(1, 'task.ready')) + frame(eventOf(2, 'run.delivered')));
        return;
      }
      reads += 1;
      const pending = { status: 'completed', delivery: { state: 'pending' } };
      reply(response, 200, reads <= 2 ? pending : ended);
    });
    await expect(client.runs.wait('run_1')).resolves.toEqual(ended);
    // One read first, one when the stream opened, none for task.ready, one for run.delivered.
    expect(reads).toBe(3);
  });

  test('gives up with code timeout', async () => {
    const { client } = await serve((request, response) => {
      if (request.url.includes('/events')) {
        response.writeHead(200, stream);
        response.flushHeaders();
      } else reply(response, 200, { status: 'running', delivery: {} });
    });
    await expect(client.runs.wait('run_1', { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
    });
  });
});

describe('lists', () => {
  test('are read page by page as they are asked for', async () => {
    const { client, seen } = await serve((request, response) =>
      request.url.includes('cursor=b')
        ? reply(response, 200, { items: [{ id: 'run_3' }], next_cursor: null })
        : reply(response, 200, { items: [{ id: 'run_1' }, { id: 'run_2' }], next_cursor: 'b' }),
    );
    const all: string[] = [];
    for await (const run of client.runs.each()) all.push(run.id);
    expect(all).toEqual(['run_1', 'run_2', 'run_3']);
    const first: string[] = [];
    for await (const run of client.runs.each({}, 2)) first.push(run.id);
    expect(first).toEqual(['run_1', 'run_2']);
    expect(seen).toHaveLength(3);
  });
});
