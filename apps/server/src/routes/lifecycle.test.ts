import type {
  Artifact,
  Assignment,
  Checkpoint,
  Problem,
  RunGraph,
  Task,
  TaskDetail,
} from '@baton/contract';
import { createHash } from 'node:crypto';
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

async function claim(max = 1, wait = 0): Promise<Assignment[]> {
  const { body } = await server.ask<{ items: Assignment[] }>(
    'POST',
    `/workers/${worker.id}/claim?wait=${wait}`,
    { key: worker.key, body: { max } },
  );
  return body.items;
}

async function claimOne(): Promise<Assignment> {
  const [assignment] = await claim(1, 30);
  if (assignment === undefined) throw new Error('nothing to claim');
  return assignment;
}

async function write<T>(assignment: Assignment, verb: string, body: object, key = worker.key) {
  return server.ask<T>('POST', `/attempts/${assignment.attempt.id}/${verb}`, {
    key,
    body: { epoch: assignment.attempt.epoch, ...body },
  });
}

describe('work over plain HTTP', () => {
  test('a plan with a contract runs to its end, input included', async () => {
    const { status, body: graph } = await server.ask<RunGraph>('POST', '/runs', {
      body: {
        goal: 'Users API',
        deliver: 'none',
        plan: {
          tasks: [
            {
              key: 'design',
              kind: 'command',
              spec: 'true',
              outputs: [{ key: 'api', schema: { type: 'object' } }],
            },
            { key: 'build', kind: 'command', spec: 'true' },
          ],
          dependencies: [
            { upstream: 'design', downstream: 'build', type: 'input', contract_key: 'api' },
          ],
        },
      },
    });
    expect(status).toBe(201);
    expect(graph.tasks.map(({ key, status: at }) => [key, at])).toEqual([
      ['design', 'ready'],
      ['build', 'blocked'],
    ]);

    const design = await claimOne();
    expect(design.task.key).toBe('design');
    expect(design.token).toMatch(/^bata_/);
    expect((await write(design, 'start', {})).body).toMatchObject({ status: 'running' });
    expect((await write(design, 'logs', { offset: 0, data: 'häl' })).body).toEqual({
      next_offset: 4,
    });
    expect((await write(design, 'logs', { offset: 4, data: 'lo' })).body).toEqual({
      next_offset: 6,
    });

    const wrong = await write<Problem>(design, 'outputs', { key: 'api', data: 'text' });
    expect([wrong.status, wrong.body.code]).toEqual([422, 'contract_violation']);
    expect((await write(design, 'outputs', { key: 'api', data: { paths: {} } })).status).toBe(200);
    const done = await write(design, 'complete', {
      result: { status: 'success', summary: 'done' },
    });
    expect(done.body).toMatchObject({ status: 'succeeded' });
    const again = await write(design, 'complete', {
      result: { status: 'success', summary: 'done' },
    });
    expect(again.body).toEqual(done.body);

    const build = await claimOne();
    expect(build.inputs).toEqual({ api: { paths: {} } });
    const { body: task } = await server.ask<TaskDetail>('GET', `/tasks/${build.task.id}`);
    expect(task.inputs).toEqual({ api: { paths: {} } });
    expect(task.worker_name).toBe('plain');
    await write(build, 'start', {});
    await write(build, 'complete', { result: { status: 'success', summary: '' } });

    const { body: run } = await server.ask('GET', `/runs/${graph.run.id}`);
    expect(run).toMatchObject({ status: 'completed', tasks_by_status: { completed: 2 } });
    const logs = await server.ask<{ items: { data: string }[]; ended: boolean }>(
      'GET',
      `/tasks/${design.task.id}/logs`,
    );
    expect(logs.body.items.map(({ data }) => data).join('')).toBe('hällo');
    expect(logs.body.ended).toBe(true);
  });

  test('work that comes while a worker waits is handed to it at once', async () => {
    const waiting = claim(1, 20);
    await server.ask('POST', '/tasks', { body: { kind: 'command', spec: 'true' } });
    const [assignment] = await waiting;
    expect(assignment?.task.spec.spec).toBe('true');
    if (assignment !== undefined) await write(assignment, 'release', {});
    const [again] = await claim(1, 20);
    if (again !== undefined) await write(again, 'fail', { reason: 'enough' });
  });

  test('who waits in vain is told so when the time is over, garbage collected or not', async () => {
    const task = await server.ask<TaskDetail>('POST', '/tasks', {
      body: { kind: 'command', spec: 'true' },
    });
    const held = await claimOne();
    const asked = await server.ask<{ id: string }>('POST', `/attempts/${held.attempt.id}/start`, {
      key: held.token,
      body: { epoch: held.attempt.epoch },
    });
    expect(asked.status).toBe(200);
    const opened = await server.ask<{ id: string }>(
      'POST',
      `/attempts/${held.attempt.id}/checkpoints`,
      { key: held.token, body: { epoch: held.attempt.epoch, question: 'which?' } },
    );
    const decision = server.ask<{ status: string }>(
      'GET',
      `/attempts/${held.attempt.id}/checkpoints/${opened.body.id}?wait=1`,
      { key: held.token },
    );
    const work = claim(1, 1);
    let isOver = false;
    const over = Promise.all([decision, work]).then((answers) => {
      isOver = true;
      return answers;
    });
    // Much garbage: what nothing but a timer would hold on to is collected.
    const until = performance.now() + 60_000;
    while (!isOver && performance.now() < until) {
      Array.from({ length: 200_000 }, () => ({}));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(isOver).toBe(true);
    const [waited, none] = await over;
    expect([waited.body.status, none]).toEqual(['open', []]);
    await server.ask('POST', `/tasks/${task.body.id}/cancel`, { body: {} });
    await write(held, 'fail', { reason: 'enough' });
  });

  test('what is claimed and not started is given again, under the same epoch', async () => {
    await server.ask('POST', '/tasks', { body: { kind: 'command', spec: 'true' } });
    const first = await claimOne();
    const second = await claimOne();
    expect(second.attempt).toEqual(first.attempt);
    expect(second.token).toBe(first.token);
    await write(first, 'start', {});
    await write(first, 'complete', { result: { status: 'success', summary: '' } });
  });

  test('an attempt token is good for its attempt until that ends', async () => {
    await server.ask('POST', '/tasks', { body: { id: 'mine', kind: 'command', spec: 'true' } });
    const { body: other } = await server.ask<Task>('POST', '/tasks', {
      body: { kind: 'command', spec: 'true', dispatch: 'manual' },
    });
    const mine = await claimOne();
    const { token } = mine;
    expect((await server.ask('GET', '/tasks/mine', { key: token })).status).toBe(200);
    expect((await server.ask('GET', `/tasks/${other.id}`, { key: token })).status).toBe(404);
    expect((await server.ask('GET', '/runs', { key: token })).status).toBe(403);
    expect((await write(mine, 'start', {}, token)).status).toBe(200);
    expect((await write(mine, 'notes', { text: 'hello' }, token)).status).toBe(200);
    expect(
      (await server.ask('GET', `/attempts/${mine.attempt.id}/assignment`, { key: token })).body,
    ).not.toHaveProperty('token');
    expect(
      (await write(mine, 'complete', { result: { status: 'success', summary: '' } }, token)).status,
    ).toBe(200);
    expect((await server.ask('GET', '/tasks/mine', { key: token })).status).toBe(401);
  });

  test('an artifact is announced, uploaded, checked and given back only as a download', async () => {
    await server.ask('POST', '/tasks', { body: { kind: 'command', spec: 'true' } });
    const it = await claimOne();
    await write(it, 'start', {});
    const bytes = Buffer.from('<script>alert(1)</script>');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const announced = await write<{ artifact: Artifact; upload: string | null }>(it, 'artifacts', {
      name: '../../evil "x".html',
      media_type: 'text/html',
      size: bytes.length,
      sha256,
    });
    expect(announced.status).toBe(201);
    const { upload } = announced.body;
    const put = (body: Buffer) =>
      fetch(`${server.url}/api/v1/uploads/${upload}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${worker.key}` },
        body: new Uint8Array(body),
      });
    const path = `/artifacts/${announced.body.artifact.id}/content`;
    expect((await server.ask('GET', path)).status).toBe(404);
    expect((await put(Buffer.from('something else here......'))).status).toBe(400);
    expect((await put(Buffer.concat([bytes, bytes]))).status).toBeOneOf([400, 413]);
    expect((await server.ask('GET', path)).status).toBe(404);
    expect((await put(bytes)).status).toBe(200);

    const content = await server.ask<string>('GET', path);
    expect(content.body).toBe(bytes.toString());
    expect(content.headers.get('content-disposition')).toMatch(
      /^attachment; filename="evil _x_.html"/,
    );
    expect(content.headers.get('content-type')).toBe('application/octet-stream');
    expect(content.headers.get('content-security-policy')).toContain('sandbox');
    expect(content.headers.get('x-content-type-options')).toBe('nosniff');

    const known = await write<{ upload: string | null }>(it, 'artifacts', {
      name: 'same',
      size: bytes.length,
      sha256,
    });
    expect(known.body.upload).toBeNull();
    await write(it, 'complete', { result: { status: 'success', summary: '' } });
  });

  test('a question is answered while its attempt waits for it', async () => {
    await server.ask('POST', '/tasks', { body: { kind: 'command', spec: 'true' } });
    const it = await claimOne();
    await write(it, 'start', {});
    const { body: asked } = await write<Checkpoint>(it, 'checkpoints', {
      question: 'JWT or session cookies?',
      options: ['jwt', 'cookies'],
    });
    const answer = server.ask<Checkpoint>(
      'GET',
      `/attempts/${it.attempt.id}/checkpoints/${asked.id}?wait=20`,
      { key: it.token },
    );
    const inbox = await server.ask<{ items: Checkpoint[] }>('GET', '/checkpoints');
    expect(inbox.body.items.map(({ id }) => id)).toContain(asked.id);
    const { body: task } = await server.ask('POST', `/tasks/${it.task.id}/answer`, {
      body: { option: 'jwt' },
    });
    expect(task).toMatchObject({ status: 'running' });
    expect((await answer).body.resolution).toMatchObject({ option: 'jwt', via: 'api' });
    const late = await server.ask<Problem>('POST', `/checkpoints/${asked.id}/resolve`, {
      body: { option: 'cookies' },
    });
    expect([late.status, late.body.code]).toEqual([409, 'checkpoint_closed']);
    await write(it, 'complete', { result: { status: 'success', summary: '' } });
  });

  test('a write under an old epoch is refused; a beat tells what is stale and what to stop', async () => {
    const { body: task } = await server.ask<Task>('POST', '/tasks', {
      body: { kind: 'command', spec: 'true' },
    });
    const it = await claimOne();
    await write(it, 'start', {});
    const old = await server.ask<Problem>('POST', `/attempts/${it.attempt.id}/progress`, {
      key: worker.key,
      body: { epoch: it.attempt.epoch - 1 },
    });
    expect([old.status, old.body.code]).toEqual([409, 'stale_epoch']);
    expect(
      (await server.ask('POST', `/tasks/${task.id}/cancel`, { body: { reason: 'no' } })).body,
    ).toMatchObject({ status: 'cancelled' });
    const beat = await server.ask('POST', `/workers/${worker.id}/heartbeat`, {
      key: worker.key,
      body: { attempts: [{ id: it.attempt.id, epoch: it.attempt.epoch }] },
    });
    expect(beat.body).toMatchObject({ cancel: [it.attempt.id], stale: [] });
    expect(
      (await write(it, 'fail', { reason: 'stopped', failure_class: 'cancelled' })).status,
    ).toBe(200);
  });
});
