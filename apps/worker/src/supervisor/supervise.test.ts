import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { attemptPaths, createAttemptDir, listAttemptDirs } from '../spool/attempt-dir.ts';
import { openSpool } from '../spool/spool.ts';
import {
  findSupervisor,
  listOutbox,
  recordAnswer,
  reopenAttemptDir,
  settleLost,
  type SupervisorClient,
} from './client.ts';
import { openSupervisorPool, type SupervisorPool } from './pool.ts';
import { findTree, isProcessAlive } from './process-tree.ts';
import { findExit, findState, type ExitFile, type LaunchInput } from './records.ts';

const root = mkdtempSync(join(tmpdir(), 'baton-supervise-'));
const PATH = process.env['PATH'] ?? '/usr/bin:/bin';
let pool: SupervisorPool;

beforeAll(async () => {
  pool = openSupervisorPool({ size: 2 });
  await pool.ready();
});
afterAll(async () => {
  pool.close();
  // Of a test that failed: its agent would go on.
  for (const { attemptId, dir } of listAttemptDirs(root)) {
    if (existsSync(attemptPaths(dir).lock)) await settleLost(dir, attemptId, 0);
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

interface Agent {
  readonly id: string;
  readonly dir: string;
}

/** Starts `sh -c script` under a supervisor. */
async function startAgent(script: string, more: Partial<LaunchInput> = {}): Promise<Agent> {
  const agent = prepareAgent();
  await pool.start(agent.dir, launchOf(agent, script, more));
  return agent;
}

function prepareAgent(): Agent {
  const id = `att_${randomUUID().slice(0, 8)}`;
  return { id, dir: createAttemptDir(root, id) };
}

function launchOf(agent: Agent, script: string, more: Partial<LaunchInput> = {}): LaunchInput {
  return {
    argv: ['/bin/sh', '-c', script],
    cwd: root,
    env: { PATH },
    identity: {
      attempt_id: agent.id,
      epoch: 7,
      token: 'bata_secret',
      server_url: 'http://127.0.0.1:9',
      heartbeat_ms: 50,
    },
    ...more,
  };
}

async function running(agent: Agent): Promise<SupervisorClient> {
  const found = await findSupervisor(agent.dir);
  if (found.status !== 'running') throw new Error(`supervisor is ${found.status}`);
  return found.client;
}

async function until<Value>(look: () => Value | undefined | false, what: string): Promise<Value> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs; await delay(5)) {
    const value = look();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`waited in vain for ${what}`);
}

function supervisorOf(agent: Agent): number {
  const pid = findState(agent.dir)?.supervisor_pid;
  if (pid === undefined) throw new Error(`${agent.id} has no supervisor`);
  return pid;
}

const exitOf = (agent: Agent): Promise<ExitFile> =>
  until(() => findExit(agent.dir), `the exit of ${agent.id}`);

const stdoutOf = (agent: Agent): string => readFileSync(attemptPaths(agent.dir).stdout, 'utf8');

/** A call on the agent's socket. */
async function ask(
  agent: Agent,
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const socketPath = findState(agent.dir)?.agent_socket;
  return new Promise((resolve, reject) => {
    const call = httpRequest({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }),
      );
    });
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe('the life of an agent', () => {
  test('its output, exit code and record are complete on disk when exit.json is there', async () => {
    const agent = await startAgent('echo out; echo err >/dev/stderr; exit 3');
    expect(await exitOf(agent)).toMatchObject({
      reason: 'exited',
      code: 3,
      signal: null,
      stdout_bytes: 4,
      stderr_bytes: 4,
      dropped_bytes: 0,
    });
    expect(stdoutOf(agent)).toBe('out\n');
    expect(readFileSync(attemptPaths(agent.dir).stderr, 'utf8')).toBe('err\n');
  });

  test('it gets exactly the environment it was given, its socket and its own group', async () => {
    const agent = await startAgent('env; echo "pid $$"; sleep 30');
    const text = await until(() => /pid (\d+)/.test(stdoutOf(agent)) && stdoutOf(agent), 'env');
    const names = text.split('\n').map((line) => line.split('=')[0]);
    expect(names).toContain('BATON_SOCKET');
    expect(text).toContain(`BATON_ATTEMPT_ID=${agent.id}`);
    expect(names).not.toContain('HOME');
    const state = findState(agent.dir);
    expect(text).toContain(`pid ${state?.pid}`);
    expect(findTree({ attemptId: agent.id })[0]).toMatchObject({
      pgid: state?.pid,
      sid: state?.pid,
    });
    const client = await running(agent);
    await client.stop('test');
    await exitOf(agent);
  });

  test('neither token nor values of variables stay on disk', async () => {
    const agent = prepareAgent();
    await pool.start(agent.dir, launchOf(agent, 'true', { env: { PATH, KEY: 'canary-value' } }));
    await exitOf(agent);
    const launch = readFileSync(attemptPaths(agent.dir).launch, 'utf8');
    expect(launch).toContain('"KEY"');
    expect(launch).not.toContain('canary-value');
    expect(launch).not.toContain('bata_secret');
    expect(statSync(attemptPaths(agent.dir).launch).mode & 0o077).toBe(0);
  });

  test('a program that does not exist ends as spawn_failed with its name', async () => {
    const agent = prepareAgent();
    const launch = { ...launchOf(agent, ''), argv: ['/no/such/program'] };
    expect(await pool.start(agent.dir, launch)).toBeUndefined();
    const exit = await exitOf(agent);
    expect(exit.reason).toBe('spawn_failed');
    expect(exit.detail).toContain('/no/such/program');
  });

  test('input comes from a file', async () => {
    const prompt = join(root, 'prompt.txt');
    writeFileSync(prompt, 'from a file');
    const fromFile = await startAgent('cat', { stdin: { mode: 'file', path: prompt } });
    await exitOf(fromFile);
    expect(stdoutOf(fromFile)).toBe('from a file');
  });

  test('a run timeout ends it', async () => {
    const agent = await startAgent('sleep 60', { run_timeout_ms: 100 });
    expect(await exitOf(agent)).toMatchObject({ reason: 'run_timeout', signal: 'SIGTERM' });
  });

  test('a directory is used once, whoever asks again', async () => {
    const agent = await startAgent('echo once');
    await exitOf(agent);
    await expect(pool.start(agent.dir, launchOf(agent, 'echo twice'))).rejects.toThrow('taken');
    expect(stdoutOf(agent)).toBe('once\n');
  });

  test('it also runs from launch.json alone, and takes the secrets out of that file', async () => {
    const agent = prepareAgent();
    const { launch } = attemptPaths(agent.dir);
    writeFileSync(launch, JSON.stringify(launchOf(agent, 'echo cold')), { mode: 0o600 });
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    spawn(process.execPath, ['--import', 'tsx', main, agent.dir], { stdio: 'ignore' }).unref();
    await exitOf(agent);
    expect(stdoutOf(agent)).toBe('cold\n');
    expect(readFileSync(launch, 'utf8')).not.toContain('bata_secret');
  });
});

describe('output', () => {
  test('50 MB arrive byte for byte and in order, read while they are written', async () => {
    const size = 50_000_000;
    const agent = await startAgent(
      `${JSON.stringify(process.execPath)} -e '
        let n = 0, left = ${size};
        const next = () => { while (left > 0) {
          const part = Buffer.from(String(n++).padStart(15, "0") + "\\n").subarray(0, left);
          left -= part.length;
          chunk.push(part);
          if (chunk.length === 4096 || left === 0) {
            const all = Buffer.concat(chunk.splice(0));
            if (!process.stdout.write(all)) return process.stdout.once("drain", next);
          } } };
        const chunk = []; next();'`,
    );
    const spool = openSpool(agent.dir);
    const seen = createHash('sha256');
    let offset = 0;
    for await (const chunk of spool.follow('stdout', 0, { bytesMax: 100_000 })) {
      expect(chunk.offset).toBe(offset);
      seen.update(chunk.data);
      offset = chunk.nextOffset;
    }
    await spool.close();
    const wanted = createHash('sha256');
    for (let n = 0; n < size / 16; n += 1) wanted.update(`${String(n).padStart(15, '0')}\n`);
    expect(offset).toBe(size);
    expect(seen.digest('hex')).toBe(wanted.digest('hex'));
  });

  test('beyond its limit it is dropped, with one marker and a count, and the agent goes on', async () => {
    const agent = await startAgent('head -c 5000 /dev/zero | tr "\\0" x; echo more; exit 4', {
      output_bytes_max: 1000,
    });
    const exit = await exitOf(agent);
    expect(exit).toMatchObject({ code: 4, dropped_bytes: 4005 });
    expect(stdoutOf(agent).slice(0, 1000)).toBe('x'.repeat(1000));
    expect(stdoutOf(agent).slice(1000)).toBe(
      '\n[baton: output limit of 1000 bytes reached: the rest is dropped]\n',
    );
    expect(exit.stdout_bytes).toBe(stdoutOf(agent).length);
  });
});

describe('the process tree', () => {
  const gone = async (agent: Agent, pids: readonly number[]): Promise<void> => {
    expect(findTree({ attemptId: agent.id })).toEqual([]);
    for (const pid of pids) expect(isProcessAlive({ pid, born: '' })).toBe(false);
  };

  /** Prints pids of: itself, a child, a grandchild in its own session, and one that hides its environment. */
  const FAMILY = [
    'echo "pid $$"',
    'sleep 300 & echo "pid $!"',
    'setsid sh -c \'echo "pid $$"; trap "" TERM; while :; do sleep 1; done\' &',
    'env -i setsid sh -c \'echo "pid $$"; sleep 300\' &',
    'sh -c "(setsid sleep 300 & echo pid \\$!) &"',
  ].join('\n');

  const family = async (agent: Agent): Promise<readonly number[]> =>
    until(() => {
      const pids = [...stdoutOf(agent).matchAll(/pid (\d+)/g)].map((match) => Number(match[1]));
      return pids.length === 5 && pids;
    }, 'the whole family');

  test.runIf(process.platform === 'linux')(
    'is gone after a stop, whoever left the group or ignores TERM',
    async () => {
      const agent = await startAgent(`${FAMILY}\nwait`, { grace_kill_ms: 300 });
      const pids = await family(agent);
      const client = await running(agent);
      await client.stop('enough');
      expect(await exitOf(agent)).toMatchObject({ reason: 'stopped', detail: 'enough' });
      await gone(agent, pids);
      client.close();
    },
  );

  test.runIf(process.platform === 'linux')(
    "is gone after the agent itself has ended, and its end is the agent's",
    async () => {
      const go = join(root, 'go');
      const agent = await startAgent(
        `sleep 300 & setsid sh -c 'echo "pid $$"; sleep 300' & until [ -e '${go}' ]; do sleep 0.02; done; exit 5`,
        { grace_kill_ms: 300 },
      );
      const pid = await until(() => /pid (\d+)/.exec(stdoutOf(agent))?.[1], 'the grandchild');
      writeFileSync(go, '');
      const exit = await exitOf(agent);
      expect(exit).toMatchObject({ reason: 'exited', code: 5 });
      expect(exit.leftovers_ended).toBeGreaterThanOrEqual(2);
      await gone(agent, [Number(pid)]);
    },
  );

  test('a stopped (frozen) agent is ended too', async () => {
    const agent = await startAgent('echo up; kill -STOP $$', { grace_kill_ms: 2_000 });
    await until(() => stdoutOf(agent) === 'up\n', 'the agent');
    await (await running(agent)).stop('enough');
    expect(await exitOf(agent)).toMatchObject({ reason: 'stopped' });
    await gone(agent, []);
  });

  test('a stop that comes during the start still ends it', async () => {
    const agent = prepareAgent();
    const starting = pool.start(agent.dir, launchOf(agent, 'sleep 300'));
    const found = await findSupervisorSoon(agent);
    await found.stop('early');
    await starting;
    expect(await exitOf(agent)).toMatchObject({ reason: 'stopped', detail: 'early' });
    await gone(agent, []);
  });

  /** Connects the very moment the socket is there; never by taking the directory. */
  async function findSupervisorSoon(agent: Agent): Promise<SupervisorClient> {
    await until(() => existsSync(attemptPaths(agent.dir).lock), 'the lock');
    return running(agent);
  }
});

describe('without a daemon', () => {
  /** A control plane that answers heartbeats with what `reply` says. */
  async function controlPlane(
    reply: (beats: number) => { readonly status: number; readonly body: object },
  ): Promise<{ readonly url: string; readonly beats: unknown[] }> {
    const beats: unknown[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => (text += part.toString()));
      request.on('end', () => {
        const { authorization } = request.headers;
        beats.push({ path: request.url, authorization, body: JSON.parse(text) as unknown });
        const { status, body } = reply(beats.length);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${port}/`, beats };
  }

  const alone = (agent: Agent, url: string): Partial<LaunchInput> => ({
    daemon_silent_ms: 60,
    grace_kill_ms: 200,
    identity: { ...launchOf(agent, '').identity, server_url: url },
  });

  test('it renews the lease with the attempt token, and stops that when the daemon is back', async () => {
    const server = await controlPlane(() => ({ status: 200, body: { cancel: false } }));
    const agent = prepareAgent();
    await pool.start(agent.dir, launchOf(agent, 'sleep 300', alone(agent, server.url)));
    await until(() => server.beats.length >= 3, 'three beats');
    expect(server.beats[0]).toEqual({
      path: `/api/v1/attempts/${agent.id}/heartbeat`,
      authorization: 'Bearer bata_secret',
      body: { epoch: 7 },
    });
    const client = await running(agent);
    const back = new AbortController();
    const attached = client.outbox(0, 60_000, back.signal).catch(() => undefined);
    // Quiet for many beats: how soon it is, is up to the machine.
    for (let before = -1; before !== server.beats.length; await delay(500)) {
      before = server.beats.length;
    }
    back.abort();
    await attached;
    await client.stop('test');
    await exitOf(agent);
  });

  test.each([401, 404, 409])(
    'an answer of %i fences it: the tree is gone, the spool kept',
    async (status) => {
      const agent = prepareAgent();
      const server = await controlPlane(() =>
        stdoutOf(agent) === 'kept\n'
          ? { status, body: { code: 'stale_epoch' } }
          : { status: 200, body: {} },
      );
      await pool.start(
        agent.dir,
        launchOf(agent, 'echo kept; sleep 300', alone(agent, server.url)),
      );
      expect(await exitOf(agent)).toMatchObject({ reason: 'fenced' });
      expect(findTree({ attemptId: agent.id })).toEqual([]);
      expect(stdoutOf(agent)).toBe('kept\n');
    },
  );

  test('an outage of the control plane does not stop it; a cancel it reports does', async () => {
    const server = await controlPlane((beats) =>
      beats < 3 ? { status: 503, body: {} } : { status: 200, body: { cancel: true } },
    );
    const agent = prepareAgent();
    await pool.start(agent.dir, launchOf(agent, 'sleep 300', alone(agent, server.url)));
    expect(await exitOf(agent)).toMatchObject({ reason: 'stopped', detail: 'cancelled' });
    expect(server.beats).toHaveLength(3);
  });

  test.each([
    [{ yields: true }, 'yielded'],
    [{ yields: false }, 'cancelled'],
  ])('a stop that it is refused for is noted as what it is: %j', async (facts, detail) => {
    const body = { code: 'stale_epoch', facts: { attempt_status: 'stopping', ...facts } };
    const server = await controlPlane(() => ({ status: 409, body }));
    const agent = prepareAgent();
    await pool.start(agent.dir, launchOf(agent, 'sleep 300', alone(agent, server.url)));
    expect(await exitOf(agent)).toMatchObject({ reason: 'stopped', detail });
  });

  test('alone for too long, it ends its tree and keeps the spool', async () => {
    const agent = prepareAgent();
    await pool.start(
      agent.dir,
      launchOf(agent, 'echo kept; sleep 300', { daemon_silent_ms: 30, orphan_timeout_ms: 150 }),
    );
    const exit = await exitOf(agent);
    expect(exit).toMatchObject({ reason: 'orphaned' });
    // On a machine under load it is over before the agent got to its first word.
    expect('kept\n'.slice(0, exit.stdout_bytes)).toBe(stdoutOf(agent));
  });

  test('kill -9 of the daemon leaves the agent running, and a new daemon finds all of it', async () => {
    const agent = prepareAgent();
    const poolUrl = new URL('pool.ts', import.meta.url).href;
    const daemon = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import { openSupervisorPool } from ${JSON.stringify(poolUrl)};
         const pool = openSupervisorPool({ size: 1 });
         await pool.start(${JSON.stringify(agent.dir)}, ${JSON.stringify(
           launchOf(
             agent,
             'i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); sleep 0.002; done',
           ),
         )});
         process.stdout.write('started');
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    );
    await new Promise((resolve) => daemon.stdout?.once('data', resolve));
    process.kill(-(daemon.pid ?? 0), 'SIGKILL');
    await new Promise((resolve) => daemon.once('exit', resolve));
    const client = await running(agent);
    expect((await client.attach()).attempt_id).toBe(agent.id);
    expect(await exitOf(agent)).toMatchObject({ reason: 'exited', code: 0 });
    const wanted = Array.from({ length: 400 }, (_, i) => `line ${i}\n`).join('');
    expect(stdoutOf(agent)).toBe(wanted);
    client.close();
  });

  test('hang-up and interrupt signals do not reach the agent; terminating the supervisor ends it', async () => {
    const agent = await startAgent('trap "exit 9" TERM; echo up; while :; do sleep 0.05; done');
    await until(() => stdoutOf(agent) === 'up\n', 'the agent');
    const client = await running(agent);
    const { supervisor_pid: pid } = await client.state();
    process.kill(pid, 'SIGHUP');
    process.kill(pid, 'SIGINT');
    expect((await client.attach()).stopping).toBeNull();
    process.kill(pid, 'SIGTERM');
    expect(await exitOf(agent)).toMatchObject({ reason: 'stopped', code: 9 });
  });
});

describe('recovery', () => {
  test('an attempt nobody started is settled, and a late supervisor cannot start it any more', async () => {
    const agent = prepareAgent();
    expect(await findSupervisor(agent.dir)).toEqual({ status: 'never_started' });
    await expect(pool.start(agent.dir, launchOf(agent, 'echo late'))).rejects.toThrow('taken');
    expect(existsSync(attemptPaths(agent.dir).stdout)).toBe(false);
    expect(await settleLost(agent.dir, agent.id, 100)).toMatchObject({ reason: 'never_started' });
  });

  test('an attempt delivered again after a crash before its start can be started once more', async () => {
    const agent = prepareAgent();
    expect(await findSupervisor(agent.dir)).toEqual({ status: 'never_started' });
    expect(reopenAttemptDir(agent.dir)).toBe(true);
    await pool.start(agent.dir, launchOf(agent, 'echo at last'));
    expect(await exitOf(agent)).toMatchObject({ code: 0 });
    expect(reopenAttemptDir(agent.dir)).toBe(false);
  });

  test('a supervisor that hangs is ended when its attempt is settled, and writes nothing any more', async () => {
    const agent = await startAgent('exec sleep 300');
    const pid = supervisorOf(agent);
    process.kill(pid, 'SIGSTOP');
    const exit = await settleLost(agent.dir, agent.id, 50);
    expect(exit).toMatchObject({ reason: 'lost', leftovers_ended: 1 });
    await until(() => !isProcessAlive({ pid, born: '' }), 'the supervisor to end');
    expect(findExit(agent.dir)).toEqual(exit);
  });

  test('a supervisor whose directory was removed ends with its agent', async () => {
    const agent = await startAgent('exec sleep 300');
    const state = findState(agent.dir);
    const pid = supervisorOf(agent);
    rmSync(agent.dir, { recursive: true });
    process.kill(pid, 'SIGTERM');
    await until(() => !isProcessAlive({ pid, born: '' }), 'the supervisor to end');
    expect(findTree({ attemptId: agent.id })).toEqual([]);
    expect(existsSync(state?.agent_socket ?? '')).toBe(false);
  });

  test('a killed supervisor is reported lost; settling ends the agent that lives on', async () => {
    const agent = await startAgent('trap "" TERM; echo up; exec sleep 300');
    await until(() => stdoutOf(agent) === 'up\n', 'the agent');
    const state = findState(agent.dir);
    process.kill(supervisorOf(agent), 'SIGKILL');
    const found = await findSupervisor(agent.dir);
    expect(found).toMatchObject({ status: 'lost', state: { pid: state?.pid } });
    expect(findTree({ attemptId: agent.id })).toHaveLength(1);
    const exit = await settleLost(agent.dir, agent.id, 50);
    expect(exit).toMatchObject({ reason: 'lost', stdout_bytes: 3, leftovers_ended: 1 });
    expect(findTree({ attemptId: agent.id })).toEqual([]);
    expect(await findSupervisor(agent.dir)).toEqual({ status: 'exited', exit });
  });
});

describe("the agent's requests", () => {
  test('are answered by the daemon, once for each id', async () => {
    const agent = await startAgent('sleep 300');
    const client = await running(agent);
    const asked = ask(agent, 'POST', '/requests', { id: 'r1', kind: 'output', body: { key: 'a' } });
    const { entries } = await client.outbox(0, 60_000);
    expect(entries).toMatchObject([{ seq: 1, id: 'r1', kind: 'output', body: { key: 'a' } }]);
    await client.answer([{ id: 'r1', status: 422, body: { code: 'contract_violation' } }]);
    expect(await asked).toEqual({ status: 422, body: { code: 'contract_violation' } });
    const again = { id: 'r1', kind: 'output', body: { key: 'a' } };
    expect((await ask(agent, 'POST', '/requests', again)).status).toBe(422);
    const other = { id: 'r1', kind: 'output', body: { key: 'b' } };
    expect((await ask(agent, 'POST', '/requests', other)).status).toBe(409);
    expect((await client.outbox(0, 0)).entries).toHaveLength(1);
    await client.stop('test');
    await exitOf(agent);
    expect(listOutbox(agent.dir)).toMatchObject([{ id: 'r1', answer: { status: 422 } }]);
  });

  test('come as files where the agent has no socket', async () => {
    const requests = mkdtempSync(join(root, 'requests-'));
    const call = JSON.stringify({
      method: 'POST',
      path: '/requests?wait=20',
      body: { id: 'f1', kind: 'note', body: { text: 'hello' } },
    });
    const script = `echo "socket: $BATON_SOCKET"; printf '%s' '${call}' > "$BATON_REQUESTS/c.part"; mv "$BATON_REQUESTS/c.part" "$BATON_REQUESTS/c.json"; while [ ! -e "$BATON_ANSWERS/c.json" ]; do sleep 0.02; done; cat "$BATON_ANSWERS/c.json"`;
    const agent = await startAgent(script, { requests_dir: requests });
    const client = await running(agent);
    const { entries } = await client.outbox(0, 60_000);
    expect(entries).toMatchObject([{ id: 'f1', kind: 'note', body: { text: 'hello' } }]);
    await client.answer([{ id: 'f1', status: 200, body: { ok: true } }]);
    await exitOf(agent);
    expect(stdoutOf(agent)).toBe('socket: \n{"status":200,"body":{"ok":true}}');
  });

  test('without a daemon are accepted at once, and its answer is there when asked for later', async () => {
    const agent = await startAgent('sleep 300', { daemon_silent_ms: 1 });
    await delay(5);
    const question = { id: 'q', kind: 'checkpoint', body: { question: 'Which?' } };
    expect(await ask(agent, 'POST', '/requests', question)).toEqual({
      status: 202,
      body: { pending: true, id: 'q' },
    });
    const waiting = ask(agent, 'GET', '/requests/q?wait=30');
    const client = await running(agent);
    expect((await client.outbox(0, 0)).entries).toMatchObject([{ id: 'q' }]);
    await client.answer([{ id: 'q', status: 200, body: { option: 'left' } }]);
    expect(await waiting).toEqual({ status: 200, body: { option: 'left' } });
    await client.stop('test');
    await exitOf(agent);
  });

  test('survive a supervisor that is killed right after it accepted them', async () => {
    const agent = await startAgent('sleep 300', { daemon_silent_ms: 1 });
    await delay(5);
    const ids = Array.from({ length: 20 }, (_, i) => `p${i}`);
    await Promise.all(
      ids.map((id) =>
        ask(agent, 'POST', '/requests', { id, kind: 'progress', body: { text: id } }),
      ),
    );
    process.kill(supervisorOf(agent), 'SIGKILL');
    expect((await findSupervisor(agent.dir)).status).toBe('lost');
    expect(
      listOutbox(agent.dir)
        .map((entry) => entry.id)
        .toSorted(),
    ).toEqual(ids.toSorted());
    recordAnswer(agent.dir, { id: 'p3', status: 200, body: {} });
    expect(listOutbox(agent.dir).find((entry) => entry.id === 'p3')?.answer?.status).toBe(200);
    await settleLost(agent.dir, agent.id, 50);
  });

  test('cannot reach what only the daemon may do; the task file is served; faults are named', async () => {
    const agent = await startAgent('sleep 300');
    expect((await ask(agent, 'POST', '/stop', {})).status).toBe(404);
    expect((await ask(agent, 'GET', '/outbox')).status).toBe(404);
    expect((await ask(agent, 'GET', '/task')).status).toBe(404);
    writeFileSync(attemptPaths(agent.dir).task, JSON.stringify({ key: 'build' }));
    expect((await ask(agent, 'GET', '/task')).body).toEqual({ key: 'build' });
    expect((await ask(agent, 'POST', '/requests', { kind: 'Bad Kind' })).status).toBe(400);
    expect((await ask(agent, 'GET', '/requests/none')).status).toBe(404);
    const socket = findState(agent.dir)?.agent_socket ?? '';
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(Buffer.byteLength(socket)).toBeLessThan(104);
    const client = await running(agent);
    expect((await client.state()).stopping).toBeNull();
    await client.stop('test');
    await exitOf(agent);
    await until(() => !existsSync(socket), 'the socket to be gone');
  });
});
