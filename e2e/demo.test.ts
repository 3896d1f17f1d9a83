import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createClient } from '@baton/sdk';
import { expect, onTestFinished, test } from 'vitest';
import { endBaton, runBaton, startBaton } from './support/process.ts';
import { placeOf } from './support/run.ts';
import { tempDir, until } from './support/tower.ts';

interface Ready {
  readonly url: string;
  readonly login_url: string;
  readonly api_key?: string;
}

interface Outcome {
  readonly run: { readonly id: string };
  readonly repo: string;
  readonly commit: string;
  readonly tests: { readonly passed: number; readonly failed: number };
}

function startUp(dataDir: string) {
  const it = startBaton(['up', '--json', '--port', '0', '--slots', '2', '--data-dir', dataDir]);
  onTestFinished(() => endBaton(it, 60_000));
  return it;
}

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();

test('the demo ends with a merged commit that passes its tests', async () => {
  const dataDir = tempDir('demo');
  const up = startUp(dataDir);
  const ready = JSON.parse(await up.line((line) => line.startsWith('{'))) as Ready;
  expect(Object.keys(ready).toSorted()).toEqual(['api_key', 'login_url', 'url']);
  expect(statSync(join(dataDir, 'client.json')).mode & 0o777).toBe(0o600);

  // Commands on the same machine need nothing but the data directory.
  const client = createClient({ baseUrl: ready.url, token: ready.api_key });
  await until(
    'the worker is online',
    async () => (await client.workers.list()).items[0]?.status === 'online',
  );
  const demo = startBaton(['demo', '--json', '--question-timeout', '900', '--data-dir', dataDir]);
  onTestFinished(async () => {
    await demo.end('SIGKILL');
  });
  await until(
    'the question is open',
    async () => (await client.checkpoints.list()).items.length > 0,
  );
  const inbox = await runBaton(['inbox', '--data-dir', dataDir]);
  expect(inbox.stdout).toContain('How should a summary end where the text was cut?');
  const id = /chk_\w+/.exec(inbox.stdout)?.[0] ?? '';
  const answered = await runBaton(['inbox', 'answer', id, 'ellipsis', '--data-dir', dataDir]);
  expect(answered.code).toBe(0);

  expect(await demo.exited).toBe(0);
  const outcome = JSON.parse(demo.stdout().trimEnd().split('\n').at(-1) ?? '') as Outcome;
  expect(outcome.tests).toEqual({ passed: 4, failed: 0 });
  // The demo's own word is not enough: the commit is on main, and the work tree there holds it.
  expect(git(outcome.repo, 'rev-parse', 'main')).toBe(outcome.commit);
  expect(git(outcome.repo, 'status', '--porcelain')).toBe('');
  expect(git(outcome.repo, 'rev-list', '--merges', '--count', 'main')).toBe('1');
  expect(readFileSync(join(outcome.repo, 'src/summarize.js'), 'utf8')).toContain(
    'ending = "\u2026"',
  );
  execFileSync(process.execPath, ['--test'], { cwd: outcome.repo });

  const graph = await client.runs.graph(outcome.run.id);
  expect(graph.run.delivery).toMatchObject({ state: 'delivered', commit: outcome.commit });
  // Side by side: each was handed out before the other was done.
  const { items: events } = await client.call('listRunEvents', {
    params: { id: outcome.run.id },
    query: { limit: 1_000 },
  });
  const place = (type: string, key: string): number => {
    const task = graph.tasks.find((it) => it.key === key)?.id ?? '';
    return placeOf(events, type, task);
  };
  for (const [one, other] of [
    ['slugify', 'summarize'],
    ['summarize', 'slugify'],
  ] as const) {
    expect(place('task.assigned', one)).toBeGreaterThan(-1);
    expect(place('task.assigned', one)).toBeLessThan(place('task.completed', other));
  }
  expect(await up.end('SIGINT')).toBe(0);
});

test('a second start has no key to tell, keeps the one it has, and brings the same worker', async () => {
  const dataDir = tempDir('again');
  const first = startUp(dataDir);
  const before = JSON.parse(await first.line((line) => line.startsWith('{'))) as Ready;
  const clientOf = ({ url }: Ready) => createClient({ baseUrl: url, token: before.api_key });
  const workers = async (ready: Ready) => (await clientOf(ready).workers.list()).items;
  await until('the worker is online', async () => (await workers(before))[0]?.status === 'online');
  const [worker] = await workers(before);
  expect(await first.end('SIGTERM')).toBe(0);

  const second = startUp(dataDir);
  const after = JSON.parse(await second.line((line) => line.startsWith('{'))) as Ready;
  expect(after.api_key).toBeUndefined();
  await until('it is online again', async () => (await workers(after))[0]?.status === 'online');
  expect((await workers(after)).map(({ id }) => id)).toEqual([worker?.id]);
  const listed = await runBaton(['worker', 'list', '--json', '--data-dir', dataDir]);
  expect(JSON.parse(listed.stdout)).toMatchObject({ items: [{ name: 'local' }] });
  expect(await second.end('SIGTERM')).toBe(0);
});

test('agents that run when it is stopped are still running at the next start', async () => {
  const dataDir = tempDir('parked');
  const first = startUp(dataDir);
  const ready = JSON.parse(await first.line((line) => line.startsWith('{'))) as Ready;
  const client = createClient({ baseUrl: ready.url, token: ready.api_key });
  const gate = join(tempDir('gate'), 'gate');
  const made = await client.runs.create({
    goal: 'wait',
    plan: {
      tasks: [
        {
          key: 'wait',
          kind: 'command',
          spec: `echo begun; touch ${gate}.begun; until [ -e ${gate} ]; do sleep 0.1; done; echo ended`,
        },
      ],
    },
  });
  const taskOf = async (it = client) => (await it.runs.graph(made.run.id)).tasks[0];
  await until('the agent runs', () => existsSync(`${gate}.begun`));
  const attempt = (await taskOf())?.attempt;
  expect(await first.end('SIGTERM')).toBe(0);

  const second = startUp(dataDir);
  const again = JSON.parse(await second.line((line) => line.startsWith('{'))) as Ready;
  const next = createClient({ baseUrl: again.url, token: ready.api_key });
  execFileSync('touch', [gate]);
  const ended = await next.runs.wait(made.run.id, { timeoutMs: 180_000 });
  expect(ended.status).toBe('completed');
  const task = await taskOf(next);
  expect({ attempt: task?.attempt, count: task?.attempt_count }).toEqual({ attempt, count: 1 });
  const logs = await runBaton(['logs', `${made.run.id}/wait`, '--data-dir', dataDir]);
  expect(logs.stdout).toBe('begun\nended\n');
  expect(await second.end('SIGTERM')).toBe(0);
});

test('a first start that found its port in use spoils nothing: the next one has the key to tell', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const dataDir = tempDir('port');
  const failed = await runBaton(['up', '--json', '--port', String(port), '--data-dir', dataDir]);
  expect(failed.code).toBe(5);
  expect(failed.stderr).toContain('port_in_use');

  const first = startUp(dataDir);
  const ready = JSON.parse(await first.line((line) => line.startsWith('{'))) as Ready;
  expect(ready.api_key).toMatch(/^bat_/);
  expect(await first.end('SIGTERM')).toBe(0);

  // A key that is gone is replaced: whoever may start here owns what is here.
  rmSync(join(dataDir, 'client.json'));
  const again = startUp(dataDir);
  const { url, api_key } = JSON.parse(await again.line((line) => line.startsWith('{'))) as Ready;
  expect(api_key).not.toBe(ready.api_key);
  await createClient({ baseUrl: url, token: api_key }).runs.list();
  // One Ctrl-C comes from the terminal and again from npm: still one.
  again.child.kill('SIGINT');
  expect(await again.end('SIGINT')).toBe(0);
});
