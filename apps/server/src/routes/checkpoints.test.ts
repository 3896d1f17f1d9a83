import type { Assignment, Checkpoint, Problem, RunGraph, TaskDetail } from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
let worker: { readonly id: string; readonly key: string };

beforeAll(async () => {
  server = await startTestServer(freshDatabases);
  worker = await server.addWorker('plain', { slots: 8 });
}, 300_000);
afterAll(async () => {
  await server.stop();
});

async function running(plan: object): Promise<{ graph: RunGraph; agents: Assignment[] }> {
  const { body: graph } = await server.ask<RunGraph>('POST', '/runs', {
    body: { goal: 'ask', deliver: 'none', plan },
  });
  const { body } = await server.ask<{ items: Assignment[] }>(
    'POST',
    `/workers/${worker.id}/claim?wait=10`,
    { key: worker.key, body: { max: graph.tasks.length } },
  );
  for (const agent of body.items) await write(agent, 'start', {});
  return { graph, agents: body.items };
}

const one = { tasks: [{ key: 'a', kind: 'command', spec: 'true' }] };
const two = { tasks: [...one.tasks, { key: 'b', kind: 'command', spec: 'true' }] };

async function write<T>(assignment: Assignment, verb: string, body: object, key = worker.key) {
  return server.ask<T>('POST', `/attempts/${assignment.attempt.id}/${verb}`, {
    key,
    body: { epoch: assignment.attempt.epoch, ...body },
  });
}

async function claimOne(): Promise<Assignment> {
  const { body } = await server.ask<{ items: Assignment[] }>(
    'POST',
    `/workers/${worker.id}/claim?wait=10`,
    { key: worker.key, body: { max: 1 } },
  );
  const [assignment] = body.items;
  if (assignment === undefined) throw new Error('nothing to claim');
  return assignment;
}

const finish = (it: Assignment) =>
  write(it, 'complete', { result: { status: 'success', summary: '' } });

test('a question may end its attempt; the next assignment says what it goes on from', async () => {
  const { agents } = await running(one);
  const [agent] = agents;
  if (agent === undefined) throw new Error('no agent');
  await write(agent, 'progress', { conversation: 'conv-7' });
  const asked = await write<Checkpoint & { yield: boolean }>(agent, 'checkpoints', {
    question: 'Which?',
    options: ['x', 'y'],
    resume: 'new_attempt',
  });
  expect(asked).toMatchObject({ status: 201, body: { yield: true, resume: 'new_attempt' } });
  const late = await write<Problem>(agent, 'outputs', { key: 'k', data: 1 });
  expect(late).toMatchObject({ status: 409, body: { code: 'stale_epoch' } });
  const ended = await write(agent, 'fail', { reason: 'ended', failure_class: 'cancelled' });
  expect(ended.body).toMatchObject({ status: 'released' });
  await server.ask('POST', `/checkpoints/${asked.body.id}/resolve`, { body: { option: 'y' } });
  const next = await claimOne();
  expect(next.continue).toMatchObject({
    attempt: agent.attempt.id,
    worker: worker.id,
    conversation: 'conv-7',
    wake: { kind: 'answer', question: 'Which?', answer: 'y' },
  });
  expect(next.decisions).toMatchObject([{ question: 'Which?', answer: 'y' }]);
  expect(next.last_failure).toBeNull();
  await finish(next);
});

test('another agent of the run may answer what any may answer, and nothing else', async () => {
  const { agents } = await running(two);
  const [asker, other] = agents;
  if (asker === undefined || other === undefined) throw new Error('no agents');
  const ask = async (more: object) =>
    (await write<Checkpoint>(asker, 'checkpoints', { question: 'Which?', ...more })).body.id;
  const answer = (id: string, key: string | undefined) =>
    server.ask<Problem>('POST', `/checkpoints/${id}/resolve`, {
      body: { text: 'so' },
      ...(key === undefined ? {} : { key }),
    });
  const forPeople = await ask({ client_id: '1' });
  expect(await answer(forPeople, other.token)).toMatchObject({
    status: 403,
    body: { code: 'forbidden' },
  });
  expect((await answer(forPeople, undefined)).status).toBe(200);
  const forAny = await ask({ client_id: '2', answer_by: 'any' });
  expect((await answer(forAny, asker.token)).status).toBe(403);
  const { agents: strangers } = await running(one);
  expect((await answer(forAny, strangers[0]?.token ?? '')).status).toBe(404);
  expect((await answer(forAny, other.token)).status).toBe(200);
  for (const agent of [...agents, ...strangers]) await finish(agent);
});

test('a barrier holds a run, a second one is refused by name, the decision lifts it', async () => {
  const { body: graph } = await server.ask<RunGraph>('POST', '/runs', {
    body: {
      goal: 'held',
      deliver: 'none',
      plan: { tasks: [{ ...one.tasks[0], dispatch: 'auto' }] },
    },
  });
  const path = `/runs/${graph.run.id}`;
  const body = { question: 'Go on?', options: ['yes', 'no'] };
  const opened = await server.ask<Checkpoint>('POST', `${path}/checkpoints`, { body });
  expect(opened).toMatchObject({
    status: 201,
    body: { task: null, attempt: null, status: 'open' },
  });
  const again = await server.ask<Problem>('POST', `${path}/checkpoints`, { body });
  expect(again).toMatchObject({ status: 409, body: { code: 'checkpoint_open' } });
  expect(again.body.detail).toContain(opened.body.id);
  const held = await server.ask<RunGraph>('GET', `${path}/graph`);
  expect(held.body).toMatchObject({
    run: { status: 'waiting', needs_human: 1 },
    tasks: [{ status: 'ready', reason: 'barrier' }],
  });
  await server.ask('POST', `/checkpoints/${opened.body.id}/resolve`, { body: { option: 'yes' } });
  await finish(await claimOne());
  expect((await server.ask('GET', path)).body).toMatchObject({ status: 'completed' });
});

test('what is changed is what is approved: facts that were shown before are refused', async () => {
  const { body: graph } = await server.ask<RunGraph>('POST', '/runs', {
    body: {
      goal: 'approve',
      deliver: 'none',
      plan: { tasks: [{ ...one.tasks[0], approval: { dispatch: true } }] },
    },
  });
  const task = graph.tasks[0]?.id ?? '';
  const open = async () => {
    const path = `/checkpoints?run=${graph.run.id}`;
    return (await server.ask<{ items: Checkpoint[] }>('GET', path)).body.items[0];
  };
  const before = await open();
  const changed = await server.ask<TaskDetail>('PATCH', `/tasks/${task}`, {
    body: { spec: 'rm -rf build', labels: { team: 'x' } },
  });
  expect(changed).toMatchObject({
    status: 200,
    body: { spec: { spec: 'rm -rf build', labels: { team: 'x' } }, status: 'awaiting_approval' },
  });
  const after = await open();
  const decide = (facts: string | null | undefined) =>
    server.ask<Problem>('POST', `/checkpoints/${after?.id ?? ''}/resolve`, {
      body: { option: 'approve', facts_sha256: facts },
    });
  expect(await decide(before?.facts_sha256)).toMatchObject({
    status: 409,
    body: { code: 'facts_changed' },
  });
  expect((await decide(after?.facts_sha256)).status).toBe(200);
  const unknown = await server.ask<Problem>('PATCH', `/tasks/${task}`, { body: { specs: 'x' } });
  expect(unknown).toMatchObject({ status: 400, body: { code: 'unknown_field' } });
  await finish(await claimOne());
});

test('a message says whether somebody hears it', async () => {
  const { graph, agents } = await running(one);
  const path = `/tasks/${graph.tasks[0]?.id ?? ''}/message`;
  const say = () => server.ask('POST', path, { body: { text: 'mind the gap' } });
  expect(await say()).toMatchObject({ status: 201, body: { delivered: true, urgent: true } });
  for (const agent of agents) await finish(agent);
  expect((await say()).body).toMatchObject({ delivered: false });
});

test('a run is changed without touching what it left out', async () => {
  const { graph, agents } = await running(one);
  const path = `/runs/${graph.run.id}`;
  const body = { labels: { a: 'b' }, policy: { on_task_failure: 'fail_run' } };
  expect((await server.ask('PATCH', path, { body })).body).toMatchObject({
    goal: 'ask',
    labels: { a: 'b' },
    policy: { on_task_failure: 'fail_run', require_dispatch_approval: 'never' },
  });
  for (const agent of agents) await finish(agent);
});
