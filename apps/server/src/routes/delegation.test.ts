import type {
  Action,
  Assignment,
  AttemptAwaitReply,
  DelegationStats,
  Problem,
  RunGraph,
  Stats,
  Task,
  TaskAwait,
  TaskDetail,
  TaskWaitReply,
  Timeline,
} from '@baton/contract';
import { freshDatabases } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLinkClient } from '../link/test-link.ts';
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
    const counting = {
      ...reads,
      tasksById: (...args: Parameters<typeof reads.tasksById>) => {
        looks += 1;
        return reads.tasksById(...args);
      },
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

/** An agent at work, and what speaks for it. */
interface AtWork {
  readonly run: string;
  readonly task: string;
  readonly attempt: string;
  readonly epoch: number;
  readonly token: string;
  readonly worker: { readonly id: string; readonly key: string };
}
let names = 0;

async function atWork(body: object = {}): Promise<AtWork> {
  const name = `delegator-${(names += 1)}`;
  const worker = await server.addWorker(name, { slots: 12 });
  const { body: graph } = await server.ask<RunGraph>('POST', '/runs', {
    body: {
      goal: 'lead',
      plan: { tasks: [{ key: 'lead', needs: { worker: name, engine: 'shell' }, ...body }] },
    },
  });
  const [claimed] = await claim(worker);
  if (claimed === undefined) throw new Error('nothing was claimed');
  return { ...started(claimed), run: graph.run.id, worker };
}

function started(it: Assignment): Omit<AtWork, 'run' | 'worker'> {
  const { id: attempt, epoch } = it.attempt;
  return { task: it.task.id, attempt, epoch, token: it.token };
}

async function claim(worker: { id: string; key: string }): Promise<Assignment[]> {
  const { body } = await server.ask<{ items: Assignment[] }>(
    'POST',
    `/workers/${worker.id}/claim?wait=20`,
    { key: worker.key, body: { max: 12 } },
  );
  for (const { attempt } of body.items) {
    await server.ask('POST', `/attempts/${attempt.id}/start`, {
      key: worker.key,
      body: { epoch: attempt.epoch },
    });
  }
  return body.items;
}

const say = <T>(it: AtWork, path: string, body: object) =>
  server.ask<T & Partial<Pick<Problem, 'code' | 'facts'>>>('POST', path, { key: it.token, body });
const spawn = (it: AtWork, body: object) => say<TaskDetail>(it, '/tasks', body);
const finish = (it: Assignment, key: string, result: object) =>
  server.ask('POST', `/attempts/${it.attempt.id}/complete`, {
    key,
    body: { epoch: it.attempt.epoch, result },
  });

describe('an agent with its own token', () => {
  test('hands work on, sees it and nothing else, and waits for it', async () => {
    const lead = await atWork();
    const { status, body: child } = await spawn(lead, { key: 'part', spec: 'true' });
    expect(status).toBe(201);
    expect(child).toMatchObject({
      run: lead.run,
      parent_task: lead.task,
      lineage_root: lead.run,
      origin: lead.attempt,
      depth: 1,
      dependencies: [],
      spec: { needs: { engine: 'shell' } },
    });
    const path = `/tasks/${lead.task}/children`;
    const seen = await server.ask<{ items: Task[] }>('GET', path, { key: lead.token });
    expect(seen.body.items.map(({ id }) => id)).toEqual([child.id]);
    expect((await server.ask('GET', `/tasks/${child.id}`, { key: lead.token })).status).toBe(200);
    const other = await newTask();
    expect((await server.ask('GET', `/tasks/${other.id}`, { key: lead.token })).status).toBe(404);
    expect((await say(lead, '/tasks/wait', { ids: [other.id] })).status).toBe(404);
    for (const what of ['diff', 'children', 'awaits', 'outputs', 'notes']) {
      const path = `/tasks/${other.id}/${what}`;
      expect((await server.ask('GET', path, { key: lead.token })).status).toBe(404);
    }
    const waited = say<TaskWaitReply>(lead, '/tasks/wait', { ids: [child.id], timeout: 60 });
    await cancel(child.id);
    expect((await waited).body).toMatchObject({ met: true, tasks: [{ status: 'cancelled' }] });
    const listed = await server.ask<{ items: Task[] }>('GET', `/tasks?origin=${lead.attempt}`);
    expect(listed.body.items.map(({ id }) => id)).toEqual([child.id]);
  });

  test('makes one child of one request, however often it is sent', async () => {
    const lead = await atWork();
    const id = `child-of-${lead.attempt}`.slice(0, 64);
    const made = await Promise.all(
      Array.from({ length: 20 }, () => spawn(lead, { id, spec: 'true', title: 'once' })),
    );
    expect(new Set(made.map(({ body }) => body.id))).toEqual(new Set([id]));
    const { body } = await server.ask<{ items: Task[] }>('GET', `/tasks?parent=${lead.task}`);
    expect(body.items).toHaveLength(1);
  });

  test('hands nothing on once its attempt has ended', async () => {
    const lead = await atWork();
    await say(lead, `/attempts/${lead.attempt}/release`, { epoch: lead.epoch });
    expect((await spawn(lead, { spec: 'true' })).status).toBe(401);
  });

  test('may do nothing else that people may', async () => {
    const lead = await atWork();
    const { body: child } = await spawn(lead, { spec: 'true', dispatch: 'manual' });
    for (const path of [
      `/tasks/${child.id}/cancel`,
      `/tasks/${child.id}/retry`,
      `/tasks/${lead.task}/wake`,
      '/runs',
    ]) {
      expect((await say(lead, path, {})).status).toBe(403);
    }
    expect((await spawn(lead, { spec: 'x', run: (await newTask()).run })).status).toBe(403);
  });

  test('is told the limit that stops it, and that is counted', async () => {
    const lead = await atWork();
    const before = await server.ask<DelegationStats>('GET', '/stats/delegation');
    for (let n = 0; n < 8; n++) {
      expect((await spawn(lead, { ...held, title: `part ${n}` })).status).toBe(201);
    }
    const { status, body } = await spawn(lead, { ...held, title: 'too many' });
    expect([status, body.code]).toEqual([422, 'limit_exceeded']);
    expect(body.facts).toMatchObject({ limit: 'openChildrenMax', max: 8 });
    const after = await server.ask<DelegationStats>('GET', '/stats/delegation');
    expect(after.body.cap_rejections).toBe(before.body.cap_rejections + 1);
    expect(after.body.spawned).toBe(before.body.spawned + 8);
  });
});

describe('an agent that speaks through its worker', () => {
  test('gets one child for one request over two links, and the same answers as over HTTP', async () => {
    const lead = await atWork();
    const about = { attempt: lead.attempt };
    const task = { key: 'linked', spec: 'true', needs: { engine: 'shell' } };
    const body = { epoch: lead.epoch, request: 'req-1', task };
    const ids: unknown[] = [];
    for (const [incarnation, seqs] of [
      ['daemon-1', [1, 2]],
      ['daemon-2', [1]],
    ] as const) {
      const link = openLinkClient(server.url, lead.worker.key, incarnation);
      await link.hello({ attempts: [{ id: lead.attempt, epoch: lead.epoch, ended: false }] });
      for (const seq of seqs) {
        link.send({ type: 'spawn', seq, ...about, body });
        const ack = await link.next('ack', (it) => it.seq === seq);
        expect(ack.error).toBeNull();
        ids.push((ack.body as { id: string }).id);
      }
      link.send({ type: 'children', seq: 10, ...about });
      const { body: seen } = await link.next('ack', (it) => it.seq === 10);
      expect(seen).toMatchObject({ items: [{ key: 'linked', parent_task: lead.task }] });
      link.send({
        type: 'actions',
        seq: 11,
        ...about,
        body: {
          epoch: lead.epoch,
          actions: [{ call: 'c1', name: 'Read', effect: 'local_read', status: 'started' }],
        },
      });
      expect((await link.next('ack', (it) => it.seq === 11)).error).toBeNull();
      if (incarnation === 'daemon-2') {
        const wanted = { epoch: lead.epoch, ids: ['linked'], policy: 'all', timeout: 60 };
        link.send({ type: 'await', seq: 12, ...about, body: wanted });
        const opened = await link.next('ack', (it) => it.seq === 12);
        expect(opened.body).toMatchObject({ yield: true, await: { status: 'open' } });
        link.send({ type: 'await', seq: 13, ...about, body: wanted });
        const again = await link.next('ack', (it) => it.seq === 13);
        expect(again.body).toEqual(opened.body);
      }
      link.socket.close();
      await link.closed;
    }
    expect(new Set(ids).size).toBe(1);
    const ledger = await server.ask<{ items: Action[] }>('GET', `/tasks/${lead.task}/actions`);
    expect(ledger.body.items).toHaveLength(1);
  });
});

describe('an await', () => {
  test('ends the turn, and the next attempt is given what the children came to', async () => {
    const lead = await atWork();
    for (const key of ['a', 'b']) await spawn(lead, { key, spec: 'true' });
    const { body } = await say<AttemptAwaitReply>(lead, `/attempts/${lead.attempt}/await`, {
      epoch: lead.epoch,
      ids: ['a', 'b'],
    });
    expect(body).toMatchObject({ yield: true, met: false, await: { status: 'open', needed: 2 } });
    await say(lead, `/attempts/${lead.attempt}/release`, { epoch: lead.epoch });
    const children = await claim(lead.worker);
    expect(children.map(({ task }) => task.key).toSorted()).toEqual(['a', 'b']);
    for (const child of children) {
      const summary = `did ${child.task.key}`;
      await finish(child, lead.worker.key, { status: 'success', summary });
    }
    const [again] = await claim(lead.worker);
    expect(again?.task.id).toBe(lead.task);
    expect(again?.continue).toMatchObject({
      attempt: lead.attempt,
      wake: {
        kind: 'await',
        partial: false,
        results: [
          { key: 'a', status: 'completed', summary: 'did a' },
          { key: 'b', status: 'completed', summary: 'did b' },
        ],
      },
    });
    const awaits = await server.ask<{ items: TaskAwait[] }>('GET', `/tasks/${lead.task}/awaits`);
    expect(awaits.body.items).toMatchObject([{ status: 'met', partial: false }]);
    const late = await say(lead, `/attempts/${lead.attempt}/await`, { epoch: lead.epoch });
    expect(late.status).toBe(401);
  });

  test('hears of a child that a person put into a run of its own', async () => {
    const lead = await atWork();
    const far = await newTask({ parent_task: lead.task });
    expect(far.run).not.toBe(lead.run);
    const { body } = await say<AttemptAwaitReply>(lead, `/attempts/${lead.attempt}/await`, {
      epoch: lead.epoch,
      ids: [far.id],
    });
    expect(body.yield).toBe(true);
    await say(lead, `/attempts/${lead.attempt}/release`, { epoch: lead.epoch });
    await cancel(far.id);
    const [again] = await claim(lead.worker);
    expect(again?.continue).toMatchObject({
      wake: { kind: 'await', partial: false, results: [{ key: far.key, status: 'cancelled' }] },
    });
  });

  test('can be cut short by a person, and names what is not an own child', async () => {
    const lead = await atWork();
    await spawn(lead, { key: 'slow', ...held });
    const other = await newTask();
    const path = `/attempts/${lead.attempt}/await`;
    const foreign = await say(lead, path, { epoch: lead.epoch, ids: [other.id] });
    expect([foreign.status, foreign.body.code]).toEqual([422, 'unknown_task']);
    await say(lead, path, { epoch: lead.epoch, ids: ['slow'] });
    const woken = await server.ask<Task>('POST', `/tasks/${lead.task}/wake`, { body: {} });
    expect(woken.body).toMatchObject({ id: lead.task, status: 'ready' });
    const again = await server.ask<Problem>('POST', `/tasks/${lead.task}/wake`, { body: {} });
    expect([again.status, again.body.code]).toEqual([409, 'wrong_status']);
  });
});

describe('what came of it', () => {
  test('counts the successes of children that cite files which are not there', async () => {
    const lead = await atWork();
    await spawn(lead, { key: 'cites', spec: 'true' });
    const before = await server.ask<DelegationStats>('GET', '/stats/delegation');
    const [child] = await claim(lead.worker);
    if (child === undefined) throw new Error('no child');
    await finish(child, lead.worker.key, {
      status: 'partial',
      summary: 'wrote a.ts',
      missing_files: ['a.ts'],
    });
    const after = await server.ask<DelegationStats>('GET', '/stats/delegation');
    expect(after.body.gate_downgrades).toBe(before.body.gate_downgrades + 1);
    expect(after.body.respawn_refusals).toEqual(before.body.respawn_refusals);
  });

  test('is on the ledger, each call once', async () => {
    const lead = await atWork();
    const told = (status: string) => ({
      epoch: lead.epoch,
      actions: [{ call: 'c1', name: 'Bash', target: 'make', effect: 'local_write', status }],
    });
    for (const status of ['started', 'started', 'succeeded', 'failed']) {
      await say(lead, `/attempts/${lead.attempt}/actions`, told(status));
    }
    const { body } = await server.ask<{ items: Action[] }>('GET', `/tasks/${lead.task}/actions`);
    expect(body.items).toMatchObject([
      {
        call: 'c1',
        name: 'Bash',
        effect: 'local_write',
        status: 'succeeded',
        attempt: lead.attempt,
      },
    ]);
  });

  test('shows as lanes and as counts', async () => {
    const lead = await atWork();
    await server.ask('POST', `/attempts/${lead.attempt}/progress`, {
      key: lead.token,
      body: { epoch: lead.epoch, progress: { percent: 30, text: 'reading' } },
    });
    const { body: counted } = await server.ask<Stats>('GET', '/stats');
    expect(counted.running.find(({ task }) => task === lead.task)).toMatchObject({
      key: 'lead',
      engine: 'shell',
      progress: { percent: 30, text: 'reading' },
    });
    expect(counted.tasks['running']).toBeGreaterThan(0);
    expect(counted.attempts.by_engine['shell']).toBeGreaterThan(0);
    for (const by of ['task', 'worker']) {
      const path = `/runs/${lead.run}/timeline?by=${by}`;
      const { body } = await server.ask<Timeline>('GET', path);
      expect(body.lanes).toHaveLength(1);
      expect(body.lanes[0]?.attempts).toMatchObject([{ attempt: lead.attempt, ended_at: null }]);
    }
  });
});
