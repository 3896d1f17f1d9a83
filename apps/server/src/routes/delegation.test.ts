import type { Problem, TaskDetail, TaskWaitReply } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';
import { waitForTasks } from './wait-for-tasks.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(freshDatabases);
});
afterAll(async () => {
  await server.stop();
});

const held = { kind: 'command', spec: 'true', dispatch: 'manual' } as const;

async function newTask(body: object = {}): Promise<TaskDetail> {
  const { status, body: made } = await server.ask<TaskDetail>('POST', '/tasks', {
    body: { ...held, ...body },
  });
  expect(status).toBe(201);
  return made;
}
const cancel = (id: string) => server.ask('POST', `/tasks/${id}/cancel`, { body: {} });
const wait = (body: object) => server.ask<TaskWaitReply & Problem>('POST', '/tasks/wait', { body });

describe('waiting for tasks', () => {
  test('is over when all have ended, and shows them in the order asked', async () => {
    const [a, b] = [await newTask({ id: 'wait-a' }), await newTask()];
    const waited = wait({ ids: [b.id, 'wait-a'], timeout: 60 });
    await cancel(a.id);
    const first = await wait({ ids: [a.id, b.id], policy: 'any', timeout: 60 });
    expect(first.body).toMatchObject({ met: true, needed: 1, ended: 1 });
    await cancel(b.id);
    const { status, body } = await waited;
    expect(status).toBe(200);
    expect(body).toMatchObject({ met: true, needed: 2, ended: 2 });
    expect(body.tasks.map(({ id, status: it }) => [id, it])).toEqual([
      [b.id, 'cancelled'],
      ['wait-a', 'cancelled'],
    ]);
  });

  test('answers with the current states when the time is up', async () => {
    const [a, b, c] = [await newTask(), await newTask(), await newTask()];
    await cancel(a.id);
    const { body } = await wait({
      ids: [a.id, b.id, c.id],
      policy: 'quorum',
      quorum: 2,
      timeout: 0.05,
    });
    expect(body).toMatchObject({ met: false, needed: 2, ended: 1 });
    expect(body.tasks.map((it) => it.status)).toEqual(['cancelled', 'ready', 'ready']);
    await cancel(c.id);
    const met = await wait({ ids: [a.id, b.id, c.id], policy: 'quorum', quorum: 2, timeout: 0 });
    expect(met.body).toMatchObject({ met: true, ended: 2 });
  });

  test('asks the database nothing while nothing happens to the tasks', async () => {
    const task = await newTask();
    let looks = 0;
    const { reads } = server.app;
    const tasksById = reads.tasksById;
    const counting = {
      ...reads,
      tasksById: (...args: Parameters<typeof tasksById>) => ((looks += 1), tasksById(...args)),
    };
    const call = { project: server.project, signal: new AbortController().signal };
    const waited = waitForTasks({ ...server.app, reads: counting }, call, [task.id], 1, 60);
    const others = [await newTask(), await newTask()];
    for (const other of others) await cancel(other.id);
    expect(looks).toBe(1);
    await cancel(task.id);
    expect((await waited).isMet).toBe(true);
    expect(looks).toBeLessThanOrEqual(3);
  });

  test.each([
    [{ ids: [] }, 400],
    [{ ids: ['x'], policy: 'quorum' }, 400],
    [{ ids: ['x'], quorum: 1 }, 400],
    [{ ids: ['x'], timeout: 301 }, 400],
    [{ ids: ['task_00000000000000000000000000'] }, 404],
  ])('%j is refused with %i', async (body, status) => {
    expect((await wait(body)).status).toBe(status);
  });
});
