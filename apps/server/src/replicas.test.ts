import {
  API_BASE,
  type Assignment,
  type Checkpoint,
  type Explanation,
  type Fleet,
  type Task,
} from '@baton/contract';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { App } from './app.ts';
import { openLinkClient, type LinkClient } from './link/test-link.ts';
import { startApp, type RunningServer } from './start.ts';
import { openTestStream } from './streams/test-stream.ts';

const bound = { timeout: 60_000, interval: 20 };

interface Replica {
  readonly app: App;
  readonly running: RunningServer;
}

// The embedded database has one owner.
for (const database of freshDatabases().filter((it) => it.name === 'postgres')) {
  describe.skipIf(database.isSkipped)(`two servers on ${database.title}`, () => {
    let opened: OpenDatabase;
    let dataDir = '';
    let one: Replica;
    let two: Replica;
    let key = '';

    beforeAll(async () => {
      opened = await database.open();
      dataDir = await mkdtemp(join(tmpdir(), 'baton-replicas-'));
      const start = () =>
        startApp({
          config: { dataDir, port: 0, unsafeDurability: true, checkReplies: true },
          log: pino({ level: 'silent' }),
          openDb: () => opened.reopen(),
          presence: { silentMs: 3_600_000, offlineMs: 2 * 3_600_000 },
        });
      one = await start();
      two = await start();
      key = one.running.apiKey ?? '';
    });
    afterAll(async () => {
      await one?.running.stop();
      await two?.running.stop();
      await opened?.close();
      await rm(dataDir, { recursive: true, force: true });
    });

    async function ask<T>(at: Replica, method: string, path: string, body?: unknown, as = key) {
      const response = await fetch(at.running.url + API_BASE + path, {
        method,
        headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      expect([path, response.status, text]).toEqual([path, expect.toSatisfy(isSuccess), text]);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    }
    const isSuccess = (status: number): boolean => status >= 200 && status < 300;

    /** A worker whose link is at the second server. */
    async function linked(name: string): Promise<{ id: string; key: string; client: LinkClient }> {
      const { token } = await ask<{ token: string }>(one, 'POST', '/worker-tokens', {});
      const made = await ask<{ id: string; key: string }>(one, 'POST', '/workers/register', {
        token,
        name,
        slots: 4,
        capabilities: { engines: ['shell'] },
      });
      const client = openLinkClient(two.running.url, made.key);
      await client.hello();
      return { ...made, client };
    }

    /** A task that runs on a worker of the second server. */
    async function running(name: string) {
      const worker = await linked(name);
      worker.client.send({ type: 'slots', free: 4 });
      const task = await ask<Task>(one, 'POST', '/tasks', {
        kind: 'command',
        spec: 'true',
        needs: { worker: name },
      });
      const { assignment } = await worker.client.next('assign');
      expect(assignment.task.id).toBe(task.id);
      const { id: attempt, epoch } = assignment.attempt;
      worker.client.send({ type: 'started', seq: 1, attempt, body: { epoch } });
      await worker.client.next('ack', ({ seq }) => seq === 1);
      return { ...worker, task, attempt, epoch, assignment };
    }

    test('work made at one goes out over a link at the other, with a token that both know', async () => {
      const { assignment, attempt, epoch } = await running('linked');
      for (const at of [one, two]) {
        const lease = await ask(
          at,
          'POST',
          `/attempts/${attempt}/heartbeat`,
          { epoch },
          assignment.token,
        );
        expect(lease).toMatchObject({ cancel: false });
      }
    });

    test('a worker that is linked at one is online at both, and eligible in what both explain', async () => {
      const { id, client } = await linked('seen');
      const task = await ask<Task>(one, 'POST', '/tasks', {
        kind: 'command',
        spec: 'true',
        needs: { worker: 'seen' },
      });
      for (const at of [one, two]) {
        await vi.waitFor(async () => {
          // It is there as long as it beats, however slow this machine is.
          client.send({ type: 'heartbeat', attempts: [] });
          expect(await ask(at, 'GET', `/workers/${id}`)).toMatchObject({ status: 'online' });
          const { workers } = await ask<Fleet>(at, 'GET', '/fleet');
          expect(workers.online).toBeGreaterThan(0);
          const { candidates } = await ask<Explanation>(at, 'GET', `/tasks/${task.id}/explain`);
          const seen = candidates.find((it) => it.worker === id);
          expect(seen).toMatchObject({ name: 'seen', eligible: true });
        }, bound);
      }
    });

    test('an answer that a person gives at one reaches the agent of a worker at the other', async () => {
      const { client, attempt, epoch } = await running('asker');
      client.send({
        type: 'checkpoint_open',
        seq: 2,
        attempt,
        body: { epoch, client_id: 'q1', kind: 'question', question: 'Which?', options: ['a', 'b'] },
      });
      await client.next('ack', ({ seq }) => seq === 2);
      const { items } = await ask<{ items: Checkpoint[] }>(one, 'GET', '/checkpoints');
      const open = items.find((it) => it.attempt === attempt);
      await ask(one, 'POST', `/checkpoints/${open?.id}/resolve`, { option: 'b' });
      expect(await client.next('checkpoint_resolved')).toMatchObject({
        attempt,
        checkpoint: { id: open?.id, status: 'resolved', resolution: { option: 'b' } },
      });
    });

    test('a note, a change, a drain and a cancel at one reach a worker at the other, each once', async () => {
      const { client, id, task, attempt, epoch } = await running('told');
      await ask(one, 'POST', `/tasks/${task.id}/notes`, { text: 'mind the gap' });
      expect(await client.next('message')).toMatchObject({ attempt, text: 'mind the gap' });
      await ask(one, 'PATCH', `/tasks/${task.id}`, { title: 'another' });
      expect(await client.next('task_updated')).toMatchObject({ attempt, fields: ['title'] });
      await ask(one, 'POST', `/workers/${id}/drain`);
      expect(await client.next('drain')).toMatchObject({ draining: true });
      await ask(one, 'POST', `/tasks/${task.id}/cancel`, { reason: 'enough' });
      expect(await client.next('cancel')).toMatchObject({ attempt, epoch, yields: false });
      // The next frame of the feed is behind all of them: nothing came twice before it.
      await ask(one, 'POST', `/workers/${id}/undrain`);
      await client.next('drain', ({ draining }) => !draining);
      for (const type of ['message', 'task_updated', 'cancel', 'drain'] as const) {
        expect([type, client.waiting(type)]).toEqual([type, 0]);
      }
    });

    test('what a worker is given at one while its link is at the other is delivered there', async () => {
      const { id, key: workerKey, client } = await linked('elsewhere');
      await ask(one, 'POST', '/tasks', {
        kind: 'command',
        spec: 'true',
        needs: { worker: 'elsewhere' },
      });
      const claimed = await ask<{ items: Assignment[] }>(
        one,
        'POST',
        `/workers/${id}/claim`,
        {},
        workerKey,
      );
      const { assignment } = await client.next('assign');
      expect(assignment.attempt).toEqual(claimed.items[0]?.attempt);
    });

    test('a worker that is removed at one loses its link at the other', async () => {
      const { id, client } = await linked('gone');
      await ask(one, 'DELETE', `/workers/${id}`);
      expect(await client.next('bye')).toMatchObject({ reconnect: false });
      expect((await client.closed).code).toBe(1008);
    });

    test('who reads at one is told what is committed at the other, and ends with its key', async () => {
      const made = await ask<{ id: string; key: string }>(one, 'POST', '/api-keys', {
        name: 'reader',
        scopes: ['read'],
      });
      const stream = await openTestStream(two.running.url, '/events?after=now', made.key);
      const place = await stream.next();
      expect(place?.event).toBe('position');
      const tasks = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          ask<Task>(index % 2 === 0 ? one : two, 'POST', '/tasks', {
            kind: 'command',
            spec: 'true',
            dispatch: 'manual',
          }),
        ),
      );
      const missing = new Set(tasks.map(({ id }) => id));
      const seen = await stream.until(({ data }) => {
        if (data.type === 'task.created') missing.delete(String(data['task']));
        return missing.size === 0;
      });
      const positions = seen.map(({ id }) => Number(id?.split('.')[1]));
      const first = Number(place?.id?.split('.')[1]) + 1;
      expect(positions).toEqual(positions.map((_, index) => first + index));
      await ask(one, 'DELETE', `/api-keys/${made.id}`);
      for (;;) if ((await stream.next()) === undefined) break;
    });

    test('events of what was purged at one are not told at the other', async () => {
      // Behind it the second server has all events in memory.
      const cursor = `${two.app.coordinator.incarnation()}.${await two.app.events.head()}`;
      const task = await ask<Task>(one, 'POST', '/tasks', {
        kind: 'command',
        spec: 'true',
        dispatch: 'manual',
        title: 'secret-of-the-purged',
      });
      await ask(one, 'POST', `/tasks/${task.id}/cancel`, {});
      const isTold = async (at: Replica): Promise<boolean> =>
        JSON.stringify(await ask(at, 'GET', `/events?after=${cursor}&limit=100`)).includes(
          'secret-of-the-purged',
        );
      await vi.waitFor(async () => expect(await isTold(two)).toBe(true), bound);
      await ask(one, 'POST', `/runs/${task.run}/purge`, {});
      for (const at of [one, two]) {
        await vi.waitFor(async () => expect(await isTold(at)).toBe(false), bound);
      }
    });
  });
}
