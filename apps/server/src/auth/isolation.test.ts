import {
  ROUTES,
  type Assignment,
  type Problem,
  type Route,
  type RouteName,
  type RunGraph,
} from '@baton/contract';
import { createHash } from 'node:crypto';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
/** Somebody of another project, and another worker of the same project. */
let strangerKey: string;
let otherWorker: { readonly id: string; readonly key: string };
/** Ids of the first project's objects, by the noun of the path. */
let ids: Readonly<Record<string, string>>;
let attempt: Assignment;

beforeAll(async () => {
  server = await startTestServer(freshDatabases);
  strangerKey = (await server.addProject('other')).key;
  const worker = await server.addWorker('holder');
  otherWorker = await server.addWorker('neighbour');
  const { body: graph } = await server.ask<RunGraph>('POST', '/runs', {
    body: {
      goal: 'canary-goal',
      plan: {
        tasks: [
          {
            key: 'a',
            id: 'canary-task',
            kind: 'command',
            spec: 'canary-spec',
            // Held to the end of the tests, however long they take.
            lease_seconds: 86_400,
          },
          { key: 'b', kind: 'command', spec: 'true' },
        ],
        dependencies: [{ upstream: 'a', downstream: 'b' }],
      },
    },
  });
  const claimed = await server.ask<{ items: Assignment[] }>('POST', `/workers/${worker.id}/claim`, {
    key: worker.key,
    body: {},
  });
  const [only] = claimed.body.items;
  if (only === undefined) throw new Error('nothing was claimed');
  attempt = only;
  const write = (verb: string, body: object) =>
    server.ask<Record<string, { id: string }> & { id: string }>(
      'POST',
      `/attempts/${only.attempt.id}/${verb}`,
      {
        key: worker.key,
        body: { epoch: only.attempt.epoch, ...body },
      },
    );
  await write('start', {});
  const sha256 = createHash('sha256').update('canary').digest('hex');
  const artifact = await write('artifacts', { name: 'canary', size: 6, sha256 });
  const checkpoint = await write('checkpoints', { question: 'canary?', options: ['yes'] });
  const key = await server.ask<{ id: string }>('POST', '/api-keys', {
    body: { name: 'canary', scopes: ['read'] },
  });
  ids = {
    runs: graph.run.id,
    tasks: 'canary-task',
    checkpoints: checkpoint.body.id,
    workers: worker.id,
    attempts: only.attempt.id,
    artifacts: artifact.body['artifact']?.id ?? '',
    uploads: artifact.body['artifact']?.id ?? '',
    'api-keys': key.body.id,
    dependency: graph.dependencies[0]?.id ?? '',
    checkpoint: checkpoint.body.id,
  };
});
afterAll(async () => {
  await server.stop();
});

/** A body each route accepts, so that only the id can be wrong. */
const bodies: Partial<Record<RouteName, unknown>> = {
  answerTask: { option: 'yes' },
  resolveCheckpoint: { option: 'yes' },
  assignTask: { worker: null },
  addNote: { text: 'x' },
  addDependency: { upstream: 'canary-task' },
  openTaskCheckpoint: { question: 'x' },
  openRunCheckpoint: { question: 'x' },
  messageTask: { text: 'x' },
  planAttempt: { epoch: 1, plan: 'x' },
  updateTask: { title: 'x' },
  updateRun: { goal: 'x' },
  replanRun: { plan: { tasks: [{ key: 'x', spec: 'x' }] }, plan_version: 1 },
  reviewTask: { action: 'approve' },
  setAttemptOutput: { epoch: 1, key: 'k', data: 1 },
  addAttemptArtifact: { epoch: 1, name: 'x', size: 0, sha256: 'a'.repeat(64) },
  openAttemptCheckpoint: { epoch: 1, question: 'x' },
  noteAttempt: { epoch: 1, text: 'x' },
  appendAttemptLog: { epoch: 1, offset: 0, data: 'x' },
  completeAttempt: { epoch: 1, result: { status: 'success', summary: '' } },
  failAttempt: { epoch: 1, reason: 'x' },
  claimAttempts: {},
  heartbeatWorker: {},
};

const withId = (Object.keys(ROUTES) as RouteName[]).filter((name) =>
  ROUTES[name].path.includes('{'),
);

function pathOf(name: RouteName, id: (noun: string) => string): string {
  const route: Route = ROUTES[name];
  const noun = route.path.split('/')[1] ?? '';
  return route.path.replace(/\{(\w+)\}/g, (_, part: string) => id(part === 'id' ? noun : part));
}

async function call(name: RouteName, key: string, id: (noun: string) => string) {
  const route: Route = ROUTES[name];
  const fenced = route.permission === 'attempt' && route.method === 'POST' ? { epoch: 1 } : {};
  const { status, body } = await server.ask<Problem>(route.method, pathOf(name, id), {
    key,
    ...(route.body === undefined ? {} : { body: bodies[name] ?? fenced }),
  });
  return { status, code: body.code, text: JSON.stringify(body) };
}

describe('what belongs to another project', () => {
  const forPeople = withId.filter(
    (name) => !['worker', 'attempt'].includes(ROUTES[name].permission),
  );

  test.each([...forPeople, 'getArtifactContent' as const])(
    'does not exist for %s',
    async (name) => {
      const real = await call(name, strangerKey, (noun) => ids[noun] ?? '');
      const missing = await call(name, strangerKey, (noun) =>
        (ids[noun] ?? '').replace(/.{4}$/, 'zzzz'),
      );
      expect(real).toMatchObject({ status: 404, code: 'not_found' });
      expect(real.status).toBe(missing.status);
      expect(real.text).not.toContain('canary-goal');
      expect(real.text).not.toContain('canary-spec');
    },
  );

  test('is in no list, and cannot be named in a body or a filter', async () => {
    for (const path of ['/runs', '/tasks', '/checkpoints', '/workers', '/events', '/api-keys']) {
      const { body } = await server.ask('GET', path, { key: strangerKey });
      expect(JSON.stringify(body)).not.toContain('canary');
    }
    const filtered = [
      `/tasks?run=${ids['runs']}`,
      `/events?run=${ids['runs']}`,
      '/events?task=canary-task',
      `/checkpoints?run=${ids['runs']}`,
    ];
    for (const path of filtered) {
      expect((await server.ask('GET', path, { key: strangerKey })).status).toBe(404);
    }
    for (const field of [
      { depends_on: ['canary-task'] },
      { run: ids['runs'] },
      { parent_task: 'canary-task' },
    ]) {
      const { status } = await server.ask('POST', '/tasks', {
        key: strangerKey,
        body: { spec: 'x', ...field },
      });
      expect(status).toBe(404);
    }
    const own = await server.ask('POST', '/tasks', {
      key: strangerKey,
      body: { spec: 'x', id: 'canary-task' },
    });
    expect(own.status).toBe(201);
  });
});

describe('what another worker of the project holds', () => {
  const forWorkers = withId.filter((name) =>
    ['worker', 'attempt'].includes(ROUTES[name].permission),
  );

  test.each([...forWorkers, 'getAttempt' as const, 'getWorker' as const])(
    'does not exist for %s',
    async (name) => {
      const { status, code } = await call(name, otherWorker.key, (noun) => ids[noun] ?? '');
      expect([status, code]).toEqual([404, 'not_found']);
    },
  );

  test('is not revealed by a malformed body either', async () => {
    const path = `/attempts/${attempt.attempt.id}/complete`;
    const { status } = await server.ask('POST', path, {
      key: otherWorker.key,
      body: { nonsense: 1 },
    });
    expect(status).toBe(404);
  });

  test('is not taken over by naming it in a beat', async () => {
    const { body } = await server.ask('POST', `/workers/${otherWorker.id}/heartbeat`, {
      key: otherWorker.key,
      body: { attempts: [{ id: attempt.attempt.id, epoch: attempt.attempt.epoch }] },
    });
    expect(body).toMatchObject({ cancel: [], stale: [attempt.attempt.id] });
    const { body: still } = await server.ask('GET', `/attempts/${attempt.attempt.id}`);
    expect(still['worker']).toBe(ids['workers']);
  });
});
