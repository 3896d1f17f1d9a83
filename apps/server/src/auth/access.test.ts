import {
  API_BASE,
  EXAMPLES,
  ROUTES,
  type Assignment,
  type Problem,
  type Route,
  type RouteName,
} from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';
import { newToken } from '../tokens/token.ts';

const names = Object.keys(ROUTES) as RouteName[];
const open: readonly RouteName[] = [
  'healthz',
  'livez',
  'readyz',
  'openapi',
  'docs',
  'login',
  'registerWorker',
];

let server: TestServer;
let worker: { readonly id: string; readonly key: string };
let attempt: Assignment;

beforeAll(async () => {
  server = await startTestServer(freshDatabases);
  worker = await server.addWorker('holder');
  // Held to the end of the tests, however long they take.
  const body = { kind: 'command', spec: 'true', lease_seconds: 86_400 };
  await server.ask('POST', '/tasks', { body });
  const claimed = await server.ask<{ items: Assignment[] }>('POST', `/workers/${worker.id}/claim`, {
    key: worker.key,
    body: {},
  });
  const [only] = claimed.body.items;
  if (only === undefined) throw new Error('nothing was claimed');
  attempt = only;
});
afterAll(async () => {
  await server.stop();
});

/** Calls a route with its example's path and body, so that only the credential can be wrong. */
async function call(name: RouteName, key: string | null, headers: Record<string, string> = {}) {
  const route: Route = ROUTES[name];
  const example: Readonly<Record<string, unknown>> = { ...EXAMPLES[name] };
  const params = (example['params'] ?? {}) as Readonly<Record<string, string>>;
  const path = route.path.replace(/\{(\w+)\}/g, (_, part: string) => params[part] ?? 'x');
  return server.ask<Problem>(route.method, route.root === true ? `/${path}` : path, {
    key,
    headers,
    ...(route.body === undefined ? {} : { body: example['body'] ?? {} }),
  });
}

const closed = names.filter((name) => !open.includes(name));

describe('without a right to it', () => {
  test('the routes that need no credential are these and no others', () => {
    expect(names.filter((name) => ROUTES[name].permission === 'public').toSorted()).toEqual(
      open.toSorted(),
    );
  });

  const credentials: readonly (readonly [string, () => string | null | Promise<string>])[] = [
    ['no credential', () => null],
    ['garbage', () => 'garbage'],
    ['a token with a wrong checksum', () => `${newToken('api_key').slice(0, -1)}~`],
    ['a well-formed key that nobody made', () => newToken('api_key')],
    ['a well-formed worker key that nobody made', () => newToken('worker_key')],
    ['a join token', () => newToken('join_token')],
    ['an attempt token of another instance', () => newToken('attempt_token')],
    ['a key that has expired', () => server.addKey(server.project, ['admin', 'read'], -1)],
  ];
  test.each(credentials)('%s opens no route', async (_, credential) => {
    const key = await credential();
    const answers = await Promise.all(
      closed.map(async (name) => {
        const { status, body } = await call(name, key);
        return [name, status, body.code];
      }),
    );
    expect(answers).toEqual(closed.map((name) => [name, 401, 'unauthenticated']));
  });

  test('a revoked key is refused at once', async () => {
    const made = await server.ask<{ id: string; key: string }>('POST', '/api-keys', {
      body: { name: 'short', scopes: ['read'] },
    });
    expect((await server.ask('GET', '/me', { key: made.body.key })).status).toBe(200);
    expect((await server.ask('DELETE', `/api-keys/${made.body.id}`)).status).toBe(204);
    expect((await server.ask('GET', '/me', { key: made.body.key })).status).toBe(401);
  });

  test('the scheme may be written in any case; two kinds of credential do not mix', async () => {
    const lower = await server.ask('GET', '/me', {
      key: null,
      headers: { authorization: `bearer ${server.key}` },
    });
    expect(lower.status).toBe(200);
    const header = await server.ask('GET', '/me', {
      key: null,
      headers: { 'x-api-key': server.key },
    });
    expect(header.status).toBe(200);
    const basic = await server.ask('GET', '/me', {
      key: null,
      headers: { authorization: 'Basic b3duZXI6b3duZXI=', 'x-api-key': server.key },
    });
    expect(basic.status).toBe(401);
    expect((await fetch(`${server.url}${API_BASE}/me?key=${server.key}`)).status).toBe(401);
  });

  test('a scope opens its own routes and no others', async () => {
    const scopes = ['read', 'run', 'operate', 'approve', 'admin'] as const;
    for (const scope of scopes) {
      const key = await server.addKey(server.project, [scope]);
      const refused = await Promise.all(
        closed
          // A stream and a long poll would answer; they are of the scope `read` and tried elsewhere.
          .filter((name) => ROUTES[name].kind !== 'sse')
          .map(async (name) => {
            const { status, body } = await call(name, key);
            // A key with more rights than the caller's own is refused too, but not for the route.
            return status === 403 && 'permission' in body.facts ? name : undefined;
          }),
      );
      const expected = closed.filter((name) => {
        const route: Route = ROUTES[name];
        if (name === 'getArtifactContent') return scope !== 'read';
        return route.kind !== 'sse' && route.permission !== scope;
      });
      expect(refused.filter((name) => name !== undefined)).toEqual(expected);
    }
  });

  test('a worker key opens the routes of workers alone', async () => {
    const statuses = await Promise.all(
      closed.map(async (name) => [name, (await call(name, worker.key)).status] as const),
    );
    const allowed = statuses.filter(([, status]) => status !== 403).map(([name]) => name);
    expect(allowed.toSorted()).toEqual(
      closed
        .filter((name) => {
          const { permission } = ROUTES[name];
          const own = ['me', 'getWorker', 'getAttempt'].includes(name);
          return permission === 'worker' || permission === 'attempt' || own;
        })
        .toSorted(),
    );
  });

  test('an attempt token opens the routes of its attempt alone', async () => {
    const statuses = await Promise.all(
      closed.map(async (name) => [name, (await call(name, attempt.token)).status] as const),
    );
    const allowed = statuses.filter(([, status]) => status !== 403).map(([name]) => name);
    const reads = [
      'me',
      'getTask',
      'getTaskDiff',
      'getAttempt',
      'listNotes',
      'listOutputs',
      'listChildren',
      'listAwaits',
      'waitTasks',
      'listCheckpoints',
      'getCheckpoint',
      // Below its own task, and where a rule of the checkpoint says so.
      'createTask',
      'resolveCheckpoint',
    ];
    expect(allowed.toSorted()).toEqual(
      closed
        .filter((name) => ROUTES[name].permission === 'attempt' || reads.includes(name))
        .toSorted(),
    );
  });

  test('nobody gives a key rights they do not have', async () => {
    const admin = await server.addKey(server.project, ['admin']);
    const { status, body } = await server.ask<Problem>('POST', '/api-keys', {
      key: admin,
      body: { name: 'more', scopes: ['admin', 'approve'] },
    });
    expect([status, body.code]).toEqual([403, 'forbidden']);
  });

  test('what decides rights cannot be sent along', async () => {
    for (const field of ['project', 'project_id', 'scopes', 'created_by', 'epoch', 'status']) {
      const { status, body } = await server.ask<Problem>('POST', '/tasks', {
        body: { spec: 'x', [field]: 'admin' },
      });
      expect([field, status, body.code]).toEqual([field, 400, 'unknown_field']);
    }
    const me = await server.ask('GET', '/me', { headers: { 'x-baton-project': 'prj_other' } });
    expect(me.status).toBe(404);
  });
});
