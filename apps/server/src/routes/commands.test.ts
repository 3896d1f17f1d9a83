import type {
  Dependency,
  Explanation,
  Fleet,
  Note,
  Problem,
  RunGraph,
  Task,
  TaskDetail,
} from '@baton/contract';
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
  const { status, body: made } = await server.ask<TaskDetail>('POST', '/tasks', {
    body: { ...held, ...body },
  });
  expect(status).toBe(201);
  return made;
}

describe('a repeated request', () => {
  test('with the same key takes effect once, even a hundred times at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        server.ask<TaskDetail>('POST', '/tasks', {
          body: { ...held, title: 'once' },
          headers: { 'idempotency-key': 'k1' },
        }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const { body } = await server.ask<{ items: Task[] }>('GET', '/tasks?text=once');
    expect(body.items.filter(({ title }) => title === 'once')).toHaveLength(1);
  });

  test('with the same key and another body is refused', async () => {
    const { status, body } = await server.ask<Problem>('POST', '/tasks', {
      body: { ...held, title: 'other' },
      headers: { 'idempotency-key': 'k1' },
    });
    expect([status, body.code]).toEqual([409, 'idempotency_conflict']);
  });

  test('of somebody else has nothing to do with it', async () => {
    const key = await server.addKey(server.project, ['run', 'read']);
    const { status, body } = await server.ask<TaskDetail>('POST', '/tasks', {
      key,
      body: { ...held, title: 'mine' },
      headers: { 'idempotency-key': 'k1' },
    });
    expect([status, body.title]).toEqual([201, 'mine']);
  });

  test('gives the same secrets again: join token, worker key, API key, login link', async () => {
    const twice = async (method: string, path: string, body: object, key?: null) => {
      const once = () =>
        server.ask<Record<string, string>>(method, path, {
          body,
          headers: { 'idempotency-key': path },
          ...(key === null ? { key } : {}),
        });
      const [first, second] = [await once(), await once()];
      expect(second.status).toBe(201);
      expect(second.body).toEqual(first.body);
      return first.body;
    };
    const { token = '' } = await twice('POST', '/worker-tokens', { name: 'again' });
    const { key = '' } = await twice('POST', '/workers/register', { token, name: 'again' }, null);
    expect((await server.ask('GET', '/me', { key })).body['name']).toBe('again');
    await twice('POST', '/api-keys', { name: 'ci', scopes: ['read'] });
    const { login_url: link = '' } = await twice('POST', '/login-links', {});
    expect(link).toContain('/login#');
    const other = await server.ask('POST', '/api-keys', {
      body: { name: 'ci', scopes: ['run'] },
      headers: { 'idempotency-key': '/api-keys' },
    });
    expect(other.body).toMatchObject({ code: 'idempotency_conflict' });
  });
});

describe('tasks', () => {
  test('a client’s own id is used in every answer and found by no other project', async () => {
    const made = await newTask({ id: 'dash-1' });
    expect(made.id).toBe('dash-1');
    const next = await newTask({ id: 'dash-2', depends_on: ['dash-1'] });
    expect(next.dependencies.map(({ upstream, downstream }) => [upstream, downstream])).toEqual([
      ['dash-1', 'dash-2'],
    ]);
    expect(next.run).toBe(made.run);
    const events = await server.ask('GET', '/tasks/dash-1/events');
    expect(JSON.stringify(events.body)).not.toContain(`${server.project}.dash`);
    const again = await server.ask<Problem>('POST', '/tasks', { body: { ...held, id: 'dash-1' } });
    expect([again.status, again.body.code]).toEqual([409, 'already_exists']);
  });

  test('an id may be cut short while it fits only one', async () => {
    const one = await newTask();
    await newTask();
    expect((await server.ask<Task>('GET', `/tasks/${one.id.slice(0, -2)}`)).status).toBeOneOf([
      200, 409,
    ]);
    const many = await server.ask<Problem>('GET', '/tasks/task_01');
    expect([many.status, many.body.code]).toBeOneOf([
      [409, 'ambiguous'],
      [404, 'not_found'],
    ]);
    const prefix = await server.ask<Problem>('GET', `/tasks/${one.id.slice(0, 9)}`);
    expect([prefix.status, prefix.body.code]).toEqual([409, 'ambiguous']);
    expect(prefix.body.facts['ids']).toContain(one.id);
  });

  test('pages are stable and filtered', async () => {
    const label = { labels: { batch: 'pages' } };
    const made: string[] = [];
    for (let i = 0; i < 7; i++) made.push((await newTask(label)).id);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await server.ask<{ items: Task[]; next_cursor: string | null }>(
        'GET',
        `/tasks?limit=3&label=batch%3Dpages${more}`,
      );
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.next_cursor;
    }
    expect(seen).toEqual(made.toReversed());
    const first = await server.ask<{ next_cursor: string }>(
      'GET',
      '/tasks?limit=3&label=batch%3Dpages',
    );
    const foreign = await server.ask('GET', `/tasks?limit=3&cursor=${first.body.next_cursor}`);
    expect(foreign.body).toMatchObject({ code: 'bad_cursor' });
  });

  test('approval, rejection, assignment, notes, progress, retry and edges', async () => {
    const gated = await newTask({ dispatch: 'auto', approval: { dispatch: true } });
    expect(gated.status).toBe('awaiting_approval');
    expect(gated.open_checkpoints).toMatchObject([{ kind: 'dispatch_approval' }]);
    expect((await server.ask('POST', `/tasks/${gated.id}/approve`)).body).toMatchObject({
      status: 'ready',
    });
    const no = await newTask({ dispatch: 'auto', approval: { dispatch: true } });
    expect(
      (await server.ask('POST', `/tasks/${no.id}/reject`, { body: { reason: 'too risky' } })).body,
    ).toMatchObject({ status: 'cancelled' });
    expect((await server.ask('POST', `/tasks/${no.id}/retry`, { body: {} })).body).toMatchObject({
      generation: 2,
    });

    const nobody = await server.ask<Problem>('POST', `/tasks/${gated.id}/assign`, {
      body: { worker: 'nobody' },
    });
    expect([nobody.status, nobody.body.code]).toEqual([422, 'unknown_worker']);
    await server.addWorker('hand');
    expect(
      (await server.ask('POST', `/tasks/${gated.id}/assign`, { body: { worker: 'hand' } })).body,
    ).toMatchObject({ assigned_worker: 'hand' });

    const note = await server.ask<Note>('POST', `/tasks/${gated.id}/notes`, {
      body: { text: 'mind the gap' },
    });
    expect(note.body).toMatchObject({ task: gated.id, author: 'owner', text: 'mind the gap' });
    const notes = await server.ask<{ items: Note[] }>('GET', `/tasks/${gated.id}/notes`);
    expect(notes.body.items).toEqual([note.body]);
    expect(
      (
        await server.ask('POST', `/tasks/${gated.id}/progress`, {
          body: { percent: 50, text: 'half' },
        })
      ).body,
    ).toMatchObject({ progress: { percent: 50, text: 'half' } });

    const [a, b] = [await newTask(), await newTask()];
    const edge = await server.ask<Dependency>('POST', `/tasks/${b.id}/dependencies`, {
      body: { upstream: a.id },
    });
    expect([edge.status, edge.body.upstream, edge.body.satisfied]).toEqual([201, a.id, false]);
    const circle = await server.ask<Problem>('POST', `/tasks/${a.id}/dependencies`, {
      body: { upstream: b.id },
    });
    expect([circle.status, circle.body.code]).toEqual([422, 'cycle']);
    expect((await server.ask('DELETE', `/tasks/${b.id}/dependencies/${edge.body.id}`)).status).toBe(
      204,
    );
    expect((await server.ask('DELETE', `/tasks/${b.id}/dependencies/${edge.body.id}`)).status).toBe(
      404,
    );

    const asked = await server.ask('POST', `/tasks/${b.id}/checkpoints`, {
      body: { question: 'which?', options: ['x', 'y'] },
    });
    expect(asked.status).toBe(201);
  });

  test('explain says why nobody takes it, and scores those who may', async () => {
    const rust = await newTask({
      dispatch: 'auto',
      needs: { engine: 'shell', repo: 'gateway', languages: ['rust'] },
    });
    const { body } = await server.ask<Explanation>('GET', `/tasks/${rust.id}/explain`);
    expect(body.sentence).toContain('No worker that is here fits');
    expect(body.candidates.find(({ name }) => name === 'hand')?.disqualified).toContain(
      'does not have repo gateway',
    );
    const fleet = await server.ask<Fleet>('GET', '/fleet');
    expect(fleet.body.uncovered).toContainEqual({ need: 'engine shell, repo gateway', tasks: 1 });
  });
});

describe('runs', () => {
  const plan = {
    tasks: [
      { key: 'a', ...held },
      { key: 'b', ...held },
    ],
    dependencies: [{ upstream: 'a', downstream: 'b' }],
  };

  test('a dry run finds what a submission would be refused for, and makes nothing', async () => {
    const before = await server.ask<{ items: unknown[] }>('GET', '/runs?limit=1000');
    const check = async (body: object) =>
      (await server.ask('POST', '/runs/validate', { body })).body;
    expect(await check({ goal: 'x', plan })).toEqual({
      ok: true,
      problems: [],
      task_count: 2,
      uncovered: [],
    });
    const circle = {
      ...plan,
      dependencies: [...plan.dependencies, { upstream: 'b', downstream: 'a' }],
    };
    expect(await check({ goal: 'x', plan: circle })).toMatchObject({
      ok: false,
      problems: [{ code: 'cycle' }],
    });
    const schema = {
      tasks: [{ key: 'a', ...held, outputs: [{ key: 'o', schema: { type: 'nonsense' } }] }],
    };
    expect(await check({ goal: 'x', plan: schema })).toMatchObject({
      ok: false,
      problems: [{ code: 'invalid_schema' }],
    });
    const codex = { tasks: [{ key: 'a', needs: { engine: 'codex' } }] };
    expect(await check({ goal: 'x', plan: codex })).toMatchObject({ ok: true, uncovered: ['a'] });
    const after = await server.ask<{ items: unknown[] }>('GET', '/runs?limit=1000');
    expect(after.body).toEqual(before.body);
  });

  test('the goal is the spec of the one task, with the fields beside it', async () => {
    const { body } = await server.ask<RunGraph>('POST', '/runs', {
      body: { goal: 'Fix the test', task: { needs: { engine: 'claude' } } },
    });
    expect(
      body.tasks.map(({ key, title, spec }) => [key, title, spec.spec, spec.needs.engine]),
    ).toEqual([['main', 'Fix the test', 'Fix the test', 'claude']]);
    const wrong = await server.ask<Problem>('POST', '/runs', {
      body: { goal: 'x', task: { nedds: {} } },
    });
    expect([wrong.status, wrong.body.code]).toEqual([400, 'unknown_field']);
  });

  test('all of a plan or nothing', async () => {
    const { body: before } = await server.ask<{ items: unknown[] }>('GET', '/runs?limit=1000');
    const wrong = { ...plan, dependencies: [{ upstream: 'a', downstream: 'nowhere' }] };
    const { status, body } = await server.ask<Problem>('POST', '/runs', {
      body: { goal: 'x', plan: wrong },
    });
    expect([status, body.code]).toEqual([422, 'unknown_task']);
    expect((await server.ask('GET', '/runs?limit=1000')).body).toEqual(before);
  });

  test('a cancelled run takes its tasks with it', async () => {
    const { body: graph } = await server.ask<RunGraph>('POST', '/runs', {
      body: { goal: 'x', plan },
    });
    const { body: run } = await server.ask('POST', `/runs/${graph.run.id}/cancel`, {
      body: { reason: 'enough' },
    });
    expect(run).toMatchObject({ status: 'cancelled', tasks_by_status: { cancelled: 2 } });
    const again = await server.ask<RunGraph>('GET', `/runs/${graph.run.id}/graph`);
    expect(again.body.tasks.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });
});

describe('sessions of people', () => {
  test('a login link works once; the cookie is strict; logging out ends it', async () => {
    const code = new URL(server.running.loginUrl).hash.slice(1);
    const login = await server.ask('POST', '/login', { key: null, body: { code } });
    expect(login.status).toBe(200);
    const set = login.headers.get('set-cookie') ?? '';
    expect(set).toMatch(
      /^baton_[0-9a-f]{8}=[0-9A-Za-z]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/,
    );
    const cookie = set.split(';')[0] ?? '';
    const again = await server.ask<Problem>('POST', '/login', { key: null, body: { code } });
    expect([again.status, again.body.code]).toEqual([401, 'login_code_invalid']);

    const me = await server.ask('GET', '/me', { key: null, headers: { cookie } });
    expect(me.body).toMatchObject({ kind: 'user', name: 'owner' });
    const blind = await server.ask<Problem>('POST', '/tasks', {
      key: null,
      body: held,
      headers: { cookie },
    });
    expect([blind.status, blind.body.code]).toEqual([403, 'foreign_origin']);
    const page = { cookie, origin: server.url };
    const { body: gated } = await server.ask<Task>('POST', '/tasks', {
      key: null,
      headers: page,
      body: { ...held, dispatch: 'auto', approval: { dispatch: true } },
    });
    await server.ask('POST', `/tasks/${gated.id}/reject`, { key: null, headers: page, body: {} });
    const events = await server.ask('GET', `/tasks/${gated.id}/events`);
    expect(JSON.stringify(events.body)).toContain('rejected from dashboard');

    expect((await server.ask('POST', '/logout', { key: null, headers: page })).status).toBe(204);
    expect((await server.ask('GET', '/me', { key: null, headers: { cookie } })).status).toBe(401);
  });
});
