import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { summarize } from '../stats.ts';
import { addFrom, countTo, fileOf, load, oneByOne, titleOf, type PeerFigures } from './peer.ts';

interface Sdk {
  service(definition: object): object;
  endpoint(): { bind(service: object): { http2Handler(): (...args: unknown[]) => void } };
}
interface Clients {
  connect(options: object): {
    serviceSendClient(definition: object): { run(): Promise<unknown> };
  };
}
interface Handler {
  run(name: string, action: () => number): Promise<number>;
}

const callers = 50;
const upMsMax = 30_000;

/** Restate: a handler of one durable step in this process, its own server binary and storage. */
export async function measureRestate(count: number): Promise<PeerFigures> {
  polyfill();
  process.env['RESTATE_LOGGING'] = 'ERROR';
  const sdk = (await load('@restatedev/restate-sdk')) as unknown as Sdk;
  const clients = (await load('@restatedev/restate-sdk-clients')) as unknown as Clients;
  let onJob = (): void => undefined;
  const noop = sdk.service({
    name: 'noop',
    handlers: {
      run: async (handler: Handler) => {
        await handler.run('step', () => 1);
        onJob();
      },
    },
  });
  const http = createHttp2Server(sdk.endpoint().bind(noop).http2Handler());
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server = await startServer();
  try {
    const { port } = http.address() as AddressInfo;
    await post(`${server.adminUrl}/deployments`, { uri: `http://127.0.0.1:${port}` });
    const client = clients.connect({ url: server.ingressUrl }).serviceSendClient({ name: 'noop' });
    const startedMs = performance.now();
    const drained = countTo(count, (tick) => (onJob = tick));
    await addFrom(callers, count, () => client.run());
    const enqueuedMs = performance.now();
    await drained;
    const drainedMs = performance.now();
    const took = await oneByOne(
      100,
      (tick) => (onJob = tick),
      () => client.run(),
    );
    return {
      name: titleOf('@restatedev/restate-server'),
      mode: 'one-way sends from 50 callers, handlers of one step; its own storage',
      enqueuePerSecond: count / ((enqueuedMs - startedMs) / 1_000),
      jobsPerSecond: count / ((drainedMs - startedMs) / 1_000),
      dispatch: summarize(took),
    };
  } finally {
    await server.stop();
    http.close();
  }
}

async function startServer(): Promise<{
  readonly adminUrl: string;
  readonly ingressUrl: string;
  readonly stop: () => Promise<void>;
}> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-bench-restate-'));
  const [admin, ingress, node] = [await freePort(), await freePort(), await freePort()];
  const binary = fileOf(
    '@restatedev',
    `restate-server-${process.platform}-${process.arch}`,
    'bin/restate-server',
  );
  const child = spawn(binary, ['--base-dir', dir], {
    env: {
      ...process.env,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}/`,
      RESTATE_LOG_FILTER: 'off',
      DO_NOT_TRACK: '1',
    },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  const adminUrl = `http://127.0.0.1:${admin}`;
  for (let waitedMs = 0; !(await isUp(`${adminUrl}/health`)); waitedMs += 50) {
    if (waitedMs > upMsMax) {
      await stop();
      throw new Error('Restate did not start');
    }
    await sleep(50);
  }
  return { adminUrl, ingressUrl: `http://127.0.0.1:${ingress}`, stop };
}

async function isUp(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

async function post(url: string, body: object): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.ok) return;
    await sleep(200);
  }
  throw new Error(`${url} does not take it`);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Its SDK asks for a function that came with Node 22. */
function polyfill(): void {
  if ('withResolvers' in Promise) return;
  const withResolvers = (): object => {
    let resolve: unknown;
    let reject: unknown;
    const promise = new Promise((onDone, onFailed) => {
      resolve = onDone;
      reject = onFailed;
    });
    return { promise, resolve, reject };
  };
  Object.assign(Promise, { withResolvers });
}
