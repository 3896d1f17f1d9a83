import type { Assignment, Event, RunGraph } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dropSpentHistory, turnHistory } from '@baton/store';
import { startTestServer, type TestServer } from '../test-server.ts';
import { openTestStream, type StreamMessage, type TestStream } from './test-stream.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(freshDatabases);
});
afterAll(async () => {
  await server.stop();
});

const open = (
  path: string,
  headers: Readonly<Record<string, string>> = {},
  key = server.key,
): Promise<TestStream> => openTestStream(server.url, path, key, headers);

const task = (body: object = {}) =>
  server.ask<{ id: string; run: string }>('POST', '/tasks', {
    body: { kind: 'command', spec: 'true', dispatch: 'manual', ...body },
  });

describe('the feed', () => {
  test('tells all from the beginning and goes on live, without a hole or a double', async () => {
    await task();
    const stream = await open('/events');
    const { body: made } = await task();
    const seen = await stream.until(
      ({ data }) => data.type === 'task.ready' && 'task' in data && data.task === made.id,
    );
    const positions = seen.map(({ id }) => Number(id?.split('.')[1]));
    expect(positions).toEqual(Array.from({ length: positions.length }, (_, index) => index + 1));
    await stream.close();
  });

  test('goes on behind the last event that was seen', async () => {
    const first = await open('/events');
    const [, second] = [await first.next(), await first.next()];
    await first.close();
    const again = await open('/events', { 'last-event-id': second?.id ?? '' });
    const third = await again.next();
    expect(Number(third?.id?.split('.')[1])).toBe(Number(second?.id?.split('.')[1]) + 1);
    await again.close();
  });

  test('with `now` begins at the end', async () => {
    const stream = await open('/events?after=now');
    const position = await stream.next();
    expect(position?.event).toBe('position');
    const { body: made } = await task();
    const next = await stream.next();
    expect(next?.data).toMatchObject({ run: made.run });
    await stream.close();
  });

  test.each(['2.1', '1.999999999'])(
    'the cursor %s of another history is answered with reset and a place to go on from',
    async (cursor) => {
      const stream = await open('/events', { 'last-event-id': cursor });
      const message = await stream.next();
      expect(message?.event).toBe('reset');
      expect(message?.data.cursor).toBe(message?.id);
      const { body: made } = await task();
      expect((await stream.next())?.data).toMatchObject({ run: made.run });
      await stream.close();
      const page = await server.ask('GET', `/events?after=${cursor}`);
      expect(page.body).toMatchObject({ code: 'bad_cursor' });
    },
  );

  test('a cursor from before what is kept is answered with reset; the oldest that is kept goes on', async () => {
    const old = await startTestServer(freshDatabases);
    try {
      const { body: made } = await old.ask<{ id: string }>('POST', '/tasks', {
        body: { kind: 'command', spec: 'true', dispatch: 'manual' },
      });
      await old.ask('POST', `/tasks/${made.id}/cancel`, { body: {} });
      const { db, events, coordinator } = old.app;
      await turnHistory(db, -60_000);
      const head = await events.head();
      await old.ask('POST', '/tasks', {
        body: { kind: 'command', spec: 'true', dispatch: 'manual' },
      });
      expect(await dropSpentHistory(db, -60_000)).toBe(true);
      expect(await events.floor()).toBe(head + 1);
      const cursorAt = (pos: number): string => `${coordinator.incarnation()}.${pos}`;
      const stream = (cursor: string) =>
        openTestStream(old.url, '/events', old.key, { 'last-event-id': cursor });

      const late = await stream(cursorAt(head - 1));
      const message = await late.next();
      expect(message?.event).toBe('reset');
      expect(message?.data.cursor).toBe(cursorAt(await events.head()));
      expect(message?.id).toBe(message?.data.cursor);
      await late.close();
      const page = await old.ask('GET', `/events?after=${cursorAt(head - 1)}`);
      expect(page).toMatchObject({ status: 400, body: { code: 'bad_cursor' } });

      const inTime = await stream(cursorAt(head));
      expect(await inTime.next()).toMatchObject({ id: cursorAt(head + 1), event: 'message' });
      await inTime.close();
    } finally {
      await old.stop();
    }
  });

  test('of a run has its events alone; the graph’s cursor continues it', async () => {
    const { body: graph } = await server.ask<RunGraph>('POST', '/runs', {
      body: { goal: 'x', task: { kind: 'command', dispatch: 'manual' } },
    });
    await task();
    const [id] = graph.tasks.map((it) => it.id);
    const stream = await open(`/runs/${graph.run.id}/events`, { 'last-event-id': graph.cursor });
    await server.ask('POST', `/tasks/${id}/cancel`, { body: {} });
    const seen = await stream.until(({ data }) => data.type === 'run.cancelled');
    expect(new Set(seen.map(({ data }) => (data as unknown as Event).run))).toEqual(
      new Set([graph.run.id]),
    );
    await stream.close();
    const page = await server.ask<{ items: Event[] }>('GET', `/runs/${graph.run.id}/events`);
    expect(page.body.items.map((it) => it.run_seq)).toEqual(
      page.body.items.map((_, index) => index + 1),
    );
  });

  test('ends when the key is revoked', async () => {
    const { body: key } = await server.ask<{ id: string; key: string }>('POST', '/api-keys', {
      body: { name: 'x', scopes: ['read'] },
    });
    const stream = await open('/events?after=now', {}, key.key);
    await stream.next();
    await server.ask('DELETE', `/api-keys/${key.id}`);
    expect(await stream.next()).toBeUndefined();
  });

  test('many readers that go away leave nothing behind', async () => {
    const streams = await Promise.all(Array.from({ length: 50 }, () => open('/events?after=now')));
    await Promise.all(streams.map((stream) => stream.next()));
    await expect.poll(() => server.app.events.waiting).toBe(50);
    await Promise.all(streams.map((stream) => stream.close()));
    await expect.poll(() => server.app.events.waiting).toBe(0);
  });

  test('pages of it join without a seam', async () => {
    const all: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await server.ask<{ items: Event[]; next_cursor: string | null }>(
        'GET',
        `/events?limit=3${query}`,
      );
      all.push(...body.items.map(({ pos }) => pos));
      cursor = body.next_cursor;
    }
    expect(all).toEqual(all.map((_, index) => index + 1));
  });
});

describe('a task’s log', () => {
  test('comes from its start to whoever is late, goes on live, and ends with the task', async () => {
    const worker = await server.addWorker('logger');
    const { body: made } = await server.ask<{ id: string }>('POST', '/tasks', {
      body: { kind: 'command', spec: 'true' },
    });
    const early = await open(`/tasks/${made.id}/logs/stream`);
    const claimed = await server.ask<{ items: Assignment[] }>(
      'POST',
      `/workers/${worker.id}/claim`,
      { key: worker.key, body: {} },
    );
    const [assignment] = claimed.body.items;
    if (assignment === undefined) throw new Error('nothing was claimed');
    const write = (verb: string, body: object) =>
      server.ask('POST', `/attempts/${assignment.attempt.id}/${verb}`, {
        key: worker.key,
        body: { epoch: assignment.attempt.epoch, ...body },
      });
    await write('start', {});
    await write('logs', { offset: 0, data: 'one ' });
    const first = await early.next();
    expect(first?.data.data).toBe('one ');
    const late = await open(`/tasks/${made.id}/logs/stream`);
    await write('logs', { offset: 4, data: 'two ' });
    await write('logs', { offset: 4, data: 'two three' });
    await write('complete', { result: { status: 'success', summary: '' } });

    const ends = ({ event }: StreamMessage): boolean => event === 'end';
    const rest = await early.until(ends);
    expect(rest.map(({ data }) => data.data ?? '').join('')).toBe('two three');
    expect(await early.next()).toBeUndefined();
    const whole = await late.until(ends);
    expect(whole.map(({ data }) => data.data ?? '').join('')).toBe('one two three');
    const resumed = await open(`/tasks/${made.id}/logs/stream`, {
      'last-event-id': first?.id ?? '',
    });
    expect((await resumed.until(ends)).map(({ data }) => data.data ?? '').join('')).toBe(
      'two three',
    );
  });
});
