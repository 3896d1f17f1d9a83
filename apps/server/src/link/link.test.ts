import { encodeLogFrame, LIMITS, LINK_PATH, LINK_PROTOCOL, type Task } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer, type TestServer } from '../test-server.ts';
import { openLinkClient, type LinkClient } from './test-link.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(freshDatabases);
});
afterAll(async () => {
  await server.stop();
});

const open = (key: string, incarnation?: string): LinkClient =>
  openLinkClient(server.url, key, incarnation);

/** A task only this worker may take, so that the tests do not take each other's. */
async function newTask(worker: string, body: object = {}): Promise<Task> {
  const { status, body: task } = await server.ask<Task>('POST', '/tasks', {
    body: { kind: 'command', spec: 'true', needs: { worker }, ...body },
  });
  expect(status).toBe(201);
  return task;
}

async function ready(name: string): Promise<{ client: LinkClient; key: string; id: string }> {
  const { id, key } = await server.addWorker(name);
  const client = open(key);
  await client.hello();
  client.send({ type: 'slots', free: 4 });
  return { client, key, id };
}

describe('the door of the link', () => {
  /** Tries an upgrade; the status it is refused with, or 101. */
  async function knock(
    headers: Record<string, string>,
    protocol = LINK_PROTOCOL,
    path = LINK_PATH,
  ) {
    const socket = new WebSocket(server.url.replace('http', 'ws') + path, protocol, { headers });
    return new Promise<number>((resolve) => {
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      socket.on('open', () => {
        socket.close();
        resolve(101);
      });
      socket.on('error', () => undefined);
    });
  }

  test('opens for the key of a worker and for nothing else', async () => {
    const { key } = await server.addWorker('knocker');
    const bearer = (it: string) => ({ authorization: `Bearer ${it}` });
    expect(await knock(bearer(key))).toBe(101);
    expect(await knock({})).toBe(401);
    expect(await knock(bearer('garbage'))).toBe(401);
    expect(await knock(bearer(server.key))).toBe(403);
    expect(await knock({ ...bearer(key), origin: server.url })).toBe(403);
    expect(await knock({ ...bearer(key), host: 'evil.test' })).toBe(421);
    expect(await knock(bearer(key), 'other.protocol')).toBe(400);
    expect(await knock(bearer(key), LINK_PROTOCOL, '/api/v1/events')).toBe(404);
  });

  test('closes on what is not of the protocol, and on frames beyond the bound', async () => {
    const { key } = await server.addWorker('rude');
    for (const frame of ['nonsense', '{"type":"nonsense"}', '{"type":"slots","free":-1}']) {
      const client = open(key);
      await client.hello();
      client.socket.send(frame);
      expect((await client.closed).code).toBe(1008);
    }
    const greedy = open(key);
    void greedy.hello({ slots: 2 ** 40 }).catch(() => undefined);
    expect(await greedy.closed).toEqual({
      code: 1008,
      reason: 'a frame that is not of this protocol',
    });
    const odd = open(key);
    await odd.hello();
    const log = { epoch: 1, stream: 'stdout', offset: 0, data: Buffer.from('x') } as const;
    odd.socket.send(encodeLogFrame({ ...log, attempt: 'att_\0' }));
    expect((await odd.closed).code).toBe(1008);
    const early = open(key);
    await new Promise((resolve) => early.socket.once('open', resolve));
    early.send({ type: 'slots', free: 1 });
    expect((await early.closed).code).toBe(1012);
    const huge = open(key);
    await huge.hello();
    huge.socket.send('x'.repeat(LIMITS.frameBytesMax + 1));
    expect((await huge.closed).code).toBe(1009);
  });
});

describe('work over the link', () => {
  test('is pushed the moment it is ready, and carried to its end', async () => {
    const { client } = await ready('runner');
    const task = await newTask('runner');
    const { assignment } = await client.next('assign');
    expect(assignment.task.id).toBe(task.id);
    expect(assignment.token).toMatch(/^bata_/);
    const { id: attempt, epoch } = assignment.attempt;
    client.send({ type: 'started', seq: 1, attempt, body: { epoch } });
    client.socket.send(
      encodeLogFrame({ attempt, epoch, stream: 'stdout', offset: 0, data: Buffer.from('hello ') }),
    );
    client.socket.send(
      encodeLogFrame({ attempt, epoch, stream: 'stdout', offset: 6, data: Buffer.from('world') }),
    );
    client.send({
      type: 'complete',
      seq: 2,
      attempt,
      body: { epoch, result: { status: 'success', summary: 'ok' } },
    });
    expect(await client.next('ack', ({ seq }) => seq === 2)).toMatchObject({ error: null });
    expect((await client.next('log_ack')).next_offset).toBe(6);
    expect((await client.next('log_ack')).next_offset).toBe(11);
    const { body } = await server.ask<Task>('GET', `/tasks/${task.id}`);
    expect(body).toMatchObject({ status: 'completed', worker_name: 'runner' });
    const logs = await server.ask<{ items: { data: string }[] }>('GET', `/tasks/${task.id}/logs`);
    expect(logs.body.items.map(({ data }) => data).join('')).toBe('hello world');
    client.socket.close();
  });

  test('frames of one attempt take effect in the order in which they came', async () => {
    const { client } = await ready('orderly');
    await newTask('orderly');
    const { assignment } = await client.next('assign');
    const { id: attempt, epoch } = assignment.attempt;
    client.send({ type: 'started', seq: 1, attempt, body: { epoch } });
    for (let i = 0; i < 50; i++) {
      client.send({
        type: 'progress',
        seq: 2 + i,
        attempt,
        body: { epoch, progress: { text: `step ${i}` } },
      });
    }
    client.send({
      type: 'complete',
      seq: 60,
      attempt,
      body: { epoch, result: { status: 'success', summary: '' } },
    });
    expect(await client.next('ack', ({ seq }) => seq === 60)).toMatchObject({ error: null });
    const { body } = await server.ask<Task>('GET', `/tasks/${assignment.task.id}`);
    expect(body.progress?.text).toBe('step 49');
    client.socket.close();
  });

  test('what was sent twice is answered twice the same', async () => {
    const { client } = await ready('repeater');
    await newTask('repeater', { outputs: [{ key: 'o' }] });
    const { assignment } = await client.next('assign');
    const { id: attempt, epoch } = assignment.attempt;
    const checkpoint = {
      type: 'checkpoint_open',
      attempt,
      body: { epoch, client_id: 'q1', question: 'go?', options: ['yes'] },
    };
    client.send({ type: 'started', seq: 1, attempt, body: { epoch } });
    client.send({ type: 'output', seq: 2, attempt, body: { epoch, key: 'o', data: { a: 1 } } });
    client.send({ type: 'output', seq: 2, attempt, body: { epoch, key: 'o', data: { a: 1 } } });
    client.send({ ...checkpoint, seq: 3 });
    client.send({ ...checkpoint, seq: 4 });
    const [first, second] = [
      await client.next('ack', ({ seq }) => seq === 3),
      await client.next('ack', ({ seq }) => seq === 4),
    ];
    expect(first.error).toBeNull();
    expect(second.body).toEqual(first.body);
    await server.ask('POST', `/tasks/${assignment.task.id}/answer`, { body: { option: 'yes' } });
    expect((await client.next('checkpoint_resolved')).checkpoint.resolution).toMatchObject({
      option: 'yes',
    });
    const complete = {
      type: 'complete',
      attempt,
      body: { epoch, result: { status: 'success', summary: '' } },
    };
    client.send({ ...complete, seq: 5 });
    client.send({ ...complete, seq: 6 });
    expect(await client.next('ack', ({ seq }) => seq === 5)).toMatchObject({ error: null });
    expect(await client.next('ack', ({ seq }) => seq === 6)).toMatchObject({ error: null });
    client.socket.close();
  });

  test('a counted frame that cannot be taken is refused, and the link goes on', async () => {
    const { client } = await ready('odd');
    const body = { epoch: 1, text: 'x' };
    client.send({ type: 'note', seq: 1, attempt: 'att_1', body: { ...body, text: 'x\0' } });
    client.send({ type: 'note', seq: 2, attempt: 'att_1', body: { ...body, other: 1 } });
    client.send({ type: 'note', seq: 3, attempt: 'att_1', body });
    for (const [seq, code] of [
      [1, 'bad_request'],
      [2, 'bad_request'],
      [3, 'not_found'],
    ] as const) {
      const { error } = await client.next('ack', (ack) => ack.seq === seq);
      expect(error).toMatchObject({ code, retry: false });
    }
  });

  test('an old epoch and a foreign attempt change nothing', async () => {
    const { client } = await ready('stale');
    const { client: other } = await ready('stale-2');
    await newTask('stale');
    const { assignment } = await client.next('assign');
    const { id: attempt, epoch } = assignment.attempt;
    client.send({ type: 'started', seq: 1, attempt, body: { epoch: epoch - 1 } });
    expect((await client.next('ack', ({ seq }) => seq === 1)).error).toMatchObject({
      code: 'stale_epoch',
      retry: false,
    });
    client.socket.send(
      encodeLogFrame({
        attempt,
        epoch: epoch - 1,
        stream: 'stdout',
        offset: 0,
        data: Buffer.from('x'),
      }),
    );
    expect((await client.next('log_ack')).error).toMatchObject({ code: 'stale_epoch' });
    other.send({ type: 'started', seq: 1, attempt, body: { epoch } });
    expect((await other.next('ack')).error).toMatchObject({ code: 'not_found' });
    other.socket.send(
      encodeLogFrame({ attempt, epoch, stream: 'stdout', offset: 0, data: Buffer.from('x') }),
    );
    expect((await other.next('log_ack')).error).toMatchObject({ code: 'not_found' });
    const logs = await server.ask<{ items: unknown[] }>('GET', `/attempts/${attempt}/logs`);
    expect(logs.body.items).toEqual([]);
    client.socket.close();
    other.socket.close();
  });

  test('a cancel is told at once; the worker’s report ends it', async () => {
    const { client } = await ready('obedient');
    const task = await newTask('obedient');
    const { assignment } = await client.next('assign');
    const { id: attempt, epoch } = assignment.attempt;
    client.send({ type: 'started', seq: 1, attempt, body: { epoch } });
    await client.next('ack', ({ seq }) => seq === 1);
    await server.ask('POST', `/tasks/${task.id}/notes`, { body: { text: 'hurry', urgent: true } });
    expect(await client.next('message')).toMatchObject({
      attempt,
      text: 'hurry',
      urgent: true,
      author: 'owner',
    });
    await server.ask('POST', `/tasks/${task.id}/cancel`, { body: { reason: 'no longer needed' } });
    expect(await client.next('cancel')).toMatchObject({ attempt, epoch, grace_seconds: 5 });
    client.send({
      type: 'fail',
      seq: 2,
      attempt,
      body: { epoch, reason: 'stopped', failure_class: 'cancelled' },
    });
    expect(await client.next('ack', ({ seq }) => seq === 2)).toMatchObject({ error: null });
    const { body } = await server.ask('GET', `/attempts/${attempt}`);
    expect(body).toMatchObject({ status: 'cancelled' });
    client.socket.close();
  });
});

describe('a link that breaks', () => {
  test('work that was handed out and not heard of is delivered again, under the same epoch', async () => {
    const { client, key } = await ready('forgetful');
    await newTask('forgetful');
    const { assignment } = await client.next('assign');
    client.socket.terminate();
    const again = open(key, 'daemon-2');
    await again.hello();
    const second = await again.next('assign');
    expect(second.assignment.attempt).toEqual(assignment.attempt);
    expect(second.assignment.token).toBe(assignment.token);
    again.socket.close();
  });

  test('a worker that still knows its attempt goes on with it, and hears what was decided meanwhile', async () => {
    const { client, key } = await ready('faithful');
    const task = await newTask('faithful');
    const { assignment } = await client.next('assign');
    const { id: attempt, epoch } = assignment.attempt;
    client.send({ type: 'started', seq: 1, attempt, body: { epoch } });
    client.send({
      type: 'checkpoint_open',
      seq: 2,
      attempt,
      body: { epoch, question: 'go?', options: ['yes'] },
    });
    await client.next('ack', ({ seq }) => seq === 2);
    client.socket.terminate();
    await server.ask('POST', `/tasks/${task.id}/answer`, { body: { option: 'yes' } });
    const again = open(key, 'daemon-1');
    const welcome = await again.hello({ attempts: [{ id: attempt, epoch, ended: false }] });
    expect(welcome.stop).toEqual([]);
    expect((await again.next('checkpoint_resolved')).checkpoint.resolution).toMatchObject({
      option: 'yes',
    });
    again.send({
      type: 'complete',
      seq: 3,
      attempt,
      body: { epoch, result: { status: 'success', summary: '' } },
    });
    expect(await again.next('ack')).toMatchObject({ seq: 3, error: null });
    again.socket.close();
  });

  test('a pause that was not heard of is told as a pause by the hello, the beat and the lease', async () => {
    const { client, key, id: worker } = await ready('deaf');
    const task = await newTask('deaf');
    const { assignment } = await client.next('assign');
    const { id: attempt, epoch } = assignment.attempt;
    client.send({ type: 'started', seq: 1, attempt, body: { epoch } });
    await client.next('ack', ({ seq }) => seq === 1);
    client.socket.terminate();
    expect((await server.ask('POST', `/tasks/${task.id}/pause`, { body: {} })).status).toBe(200);
    const again = open(key, 'daemon-1');
    await again.hello({ attempts: [{ id: attempt, epoch, ended: false }] });
    const told = { attempt, epoch, reason: 'paused', yields: true };
    expect(await again.next('cancel')).toMatchObject(told);
    again.send({ type: 'heartbeat', attempts: [{ id: attempt, epoch }] });
    expect(await again.next('cancel')).toMatchObject(told);
    const beat = await server.ask('POST', `/workers/${worker}/heartbeat`, {
      key,
      body: { attempts: [{ id: attempt, epoch }] },
    });
    expect(beat.body).toMatchObject({ cancel: [attempt], yields: [attempt], stale: [] });
    const lease = await server.ask('POST', `/attempts/${attempt}/heartbeat`, {
      key: assignment.token,
      body: { epoch },
    });
    const facts = { attempt_status: 'stopping', yields: true };
    expect(lease.body).toMatchObject({ code: 'stale_epoch', facts });
    again.socket.close();
  });

  test('a worker that no longer knows a running attempt loses it; one it must not hold is named to stop', async () => {
    const { client, key } = await ready('amnesic');
    const task = await newTask('amnesic');
    const { assignment } = await client.next('assign');
    const { id: attempt, epoch } = assignment.attempt;
    client.send({ type: 'started', seq: 1, attempt, body: { epoch } });
    await client.next('ack');
    client.socket.terminate();
    const again = open(key, 'daemon-2');
    await again.hello();
    const { body } = await server.ask('GET', `/attempts/${attempt}`);
    expect(body).toMatchObject({ status: 'lost' });
    again.send({ type: 'slots', free: 4 });
    const second = await again.next('assign', (frame) => frame.assignment.task.id === task.id);
    expect(second.assignment.attempt.epoch).toBeGreaterThan(epoch);
    again.socket.terminate();
    const third = open(key, 'daemon-1');
    const welcome = await third.hello({ attempts: [{ id: attempt, epoch, ended: false }] });
    expect(welcome.stop).toEqual([attempt]);
    third.socket.close();
  });

  test('a newer connection closes the older one, and the worker stays online', async () => {
    const { client, key, id } = await ready('twice');
    const newer = open(key, 'daemon-2');
    await newer.hello();
    expect(await client.next('bye')).toMatchObject({ reconnect: false });
    expect((await client.closed).code).toBe(1008);
    newer.send({ type: 'slots', free: 4 });
    await newTask('twice');
    await newer.next('assign');
    const { body } = await server.ask('GET', `/workers/${id}`);
    expect(body).toMatchObject({ status: 'online', slots_used: 1 });
    newer.socket.close();
  });

  test('a removed worker is cut off at once', async () => {
    const { client, id } = await ready('removed');
    expect((await server.ask('DELETE', `/workers/${id}`)).status).toBe(204);
    expect((await client.closed).code).toBe(1008);
  });

  test('a drained worker is told, and gets no more work', async () => {
    const { client } = await ready('drained');
    await server.ask('POST', '/workers/drained/drain', { body: {} });
    expect((await client.next('drain')).draining).toBe(true);
    const task = await newTask('drained');
    const { body } = await server.ask<Task>('GET', `/tasks/${task.id}`);
    expect(body.status).toBe('ready');
    await server.ask('POST', '/workers/drained/undrain', { body: {} });
    expect((await client.next('assign')).assignment.task.id).toBe(task.id);
    client.socket.close();
  });
});
