import type { Attempt, Problem, Run, RunGraph, Task, TaskDetail } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(freshDatabases);
});
afterAll(async () => {
  await server.stop();
});

const held = { kind: 'command', spec: 'true', dispatch: 'manual' } as const;

async function newTask(body: object = {}): Promise<TaskDetail> {
  const made = await server.ask<TaskDetail>('POST', '/tasks', { body: { ...held, ...body } });
  expect(made.status).toBe(201);
  return made.body;
}

async function post<T = Task>(path: string, body: object = {}) {
  return server.ask<T>('POST', path, { body });
}

/** Asks again until the answer is as wanted; bounded. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe('a task', () => {
  test('is paused and resumed; what it is not is said', async () => {
    const { id, run } = await newTask();
    expect((await post(`/tasks/${id}/pause`, { reason: 'lunch' })).body).toMatchObject({
      status: 'paused',
      reason: 'lunch',
    });
    expect((await post(`/tasks/${id}/pause`)).status).toBe(200);
    expect((await server.ask<Run>('GET', `/runs/${run}`)).body.status).toBe('waiting');
    expect((await post(`/tasks/${id}/resume`)).body).toMatchObject({ status: 'ready' });
    const again = await post<Problem>(`/tasks/${id}/resume`);
    expect([again.status, again.body.code]).toEqual([409, 'wrong_status']);
  });

  test('is relaunched under its id and run again beside itself', async () => {
    const { id } = await newTask({ key: 'twin' });
    expect((await post(`/tasks/${id}/relaunch`)).body).toMatchObject({ id, generation: 2 });
    const rerun = await post<TaskDetail>(`/tasks/${id}/rerun`);
    expect(rerun.status).toBe(201);
    expect(rerun.body).toMatchObject({ key: 'twin-2', rerun_of: id, generation: 1 });
  });

  test('is deleted for everybody, and purged twice', async () => {
    const { id, run } = await newTask({ id: 'dash-gone' });
    await newTask({ id: 'dash-stays', run });
    expect((await server.ask('DELETE', `/tasks/${id}`)).status).toBe(204);
    expect((await server.ask('GET', `/tasks/${id}`)).status).toBe(404);
    const { body: graph } = await server.ask<RunGraph>('GET', `/runs/${run}/graph`);
    expect(graph.tasks.map((it) => it.id)).toEqual(['dash-stays']);
    expect(graph.run.task_count).toBe(1);
    for (let time = 0; time < 2; time++) {
      expect((await post(`/tasks/${id}/purge`)).status).toBe(204);
    }
    await until('its id is free again', async () => {
      const made = await server.ask('POST', '/tasks', { body: { ...held, id: 'dash-gone' } });
      return made.status === 201;
    });
  });
});

describe('a run', () => {
  test('is paused, resumed and run again', async () => {
    const { run } = await newTask();
    expect((await post<Run>(`/runs/${run}/pause`)).body.status).toBe('paused');
    expect((await post<Run>(`/runs/${run}/resume`)).body.status).toBe('waiting');
    const again = await post<RunGraph>(`/runs/${run}/rerun`);
    expect(again.status).toBe(201);
    expect(again.body.run).toMatchObject({ rerun_of: run, lineage_root: run, source: 'rerun' });
  });

  test('is purged by its admin alone; once it is gone that is still so', async () => {
    const { run } = await newTask();
    const operator = await server.addKey(server.project, ['read', 'operate']);
    const path = `/runs/${run}/purge`;
    expect((await server.ask('POST', path, { key: operator, body: {} })).status).toBe(403);
    const { key: stranger } = await server.addProject('elsewhere');
    await server.ask('POST', path, { key: stranger, body: {} });
    expect((await server.ask('GET', `/runs/${run}`)).status).toBe(200);
    expect((await post(path)).status).toBe(204);
    expect((await server.ask('GET', `/runs/${run}`)).status).toBe(404);
    const rows = (): Promise<readonly string[]> =>
      server.app.reads.findIdsEver('runs', server.project, run);
    await until('its row is gone', async () => (await rows()).length === 0);
    await until('its history says nothing', async () => {
      const feed = await server.ask<{ items: object[] }>('GET', '/events?limit=1000');
      const telling = feed.body.items.filter((it) => JSON.stringify(it).includes(run));
      return telling.length === 1 && JSON.stringify(telling).includes('run.purged');
    });
    expect((await post(path)).status).toBe(204);
    expect((await post('/runs/run_0/purge')).status).toBe(404);
  });
});

describe('a result that comes too late', () => {
  test('is refused, kept, and taken when a person adopts it', async () => {
    const worker = await server.addWorker('late');
    const { id } = await newTask({ dispatch: 'auto', timeouts: { run: 1 } });
    const claim = await server.ask<{
      items: { attempt: { id: string; epoch: number }; token: string }[];
    }>('POST', `/workers/${worker.id}/claim?wait=30`, { key: worker.key, body: { max: 1 } });
    const item = claim.body.items[0];
    if (item === undefined) throw new Error('nothing was claimed');
    const { id: attempt, epoch } = item.attempt;
    const say = (verb: string, body: object) =>
      server.ask<Problem>('POST', `/attempts/${attempt}/${verb}`, {
        key: worker.key,
        body: { epoch, ...body },
      });
    await say('start', {});
    await until('it has timed out', async () => {
      const { body } = await server.ask<Task>('GET', `/tasks/${id}`);
      return body.status === 'failed';
    });
    const done = { result: { status: 'success', summary: 'late but whole' } };
    expect((await say('complete', done)).status).toBe(200);
    const { body: kept } = await server.ask<Attempt>('GET', `/attempts/${attempt}`);
    expect(kept).toMatchObject({
      status: 'timed_out',
      orphan_result: { summary: 'late but whole' },
    });
    const adopted = await post<Attempt>(`/attempts/${attempt}/adopt`, { reason: 'it is good' });
    expect(adopted.body.result).toMatchObject({ summary: 'late but whole' });
    expect((await server.ask<Task>('GET', `/tasks/${id}`)).body).toMatchObject({
      status: 'completed',
      result: { summary: 'late but whole' },
    });
    const again = await post<Attempt>(`/attempts/${attempt}/adopt`);
    expect(again.status).toBe(200);
  });
});

describe('a review', () => {
  test('without a reason from the dashboard says so, and twice counts once', async () => {
    const worker = await server.addWorker('reviewed');
    const { id, run } = await newTask({ dispatch: 'auto' });
    const claim = await server.ask<{ items: { attempt: { id: string; epoch: number } }[] }>(
      'POST',
      `/workers/${worker.id}/claim?wait=30`,
      { key: worker.key, body: { max: 1 } },
    );
    const attempt = claim.body.items[0]?.attempt;
    if (attempt === undefined) throw new Error('nothing was claimed');
    const early = await post<Problem>(`/tasks/${id}/review`, { action: 'approve' });
    expect(early.body.code).toBe('wrong_status');
    for (const [verb, body] of [
      ['start', {}],
      ['complete', { result: { status: 'success', summary: '' } }],
    ] as const) {
      const said = await server.ask('POST', `/attempts/${attempt.id}/${verb}`, {
        key: worker.key,
        body: { epoch: attempt.epoch, ...body },
      });
      expect(said.status).toBe(200);
    }
    const review = (body: object) => post<Task>(`/tasks/${id}/review`, body);
    await Promise.all([review({ action: 'reject' }), review({ action: 'reject' })]);
    const { body } = await review({ action: 'reject' });
    expect(body.review).toMatchObject({ state: 'rejected' });
    const { body: events } = await server.ask<{ items: { type: string }[] }>(
      'GET',
      `/runs/${run}/events?limit=500`,
    );
    expect(events.items.filter((it) => it.type === 'task.reviewed')).toHaveLength(1);
    expect((await review({ action: 'request_changes' })).status).toBe(400);
    const asked = await review({ action: 'reject', requeue: true, reason: 'add tests' });
    expect(asked.body).toMatchObject({
      generation: 2,
      review: { state: 'changes_requested', note: 'add tests' },
    });
  });
});
