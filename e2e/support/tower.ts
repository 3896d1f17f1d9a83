import { createClient, type Client } from '@baton/sdk';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { auditTower } from './audit.ts';
import { endBaton, isAlive, startBaton, type BatonProcess } from './process.ts';

/** A control plane of a test: the real binary, its own data directory, a free port. */
export interface Tower {
  readonly dataDir: string;
  readonly url: string;
  readonly loginUrl: string;
  readonly apiKey: string;
  readonly client: Client;
  readonly process: BatonProcess;
  /** SIGKILL, at once. */
  kill(): Promise<void>;
  /** Starts again on the same data directory and port, with other arguments if given. */
  restart(args?: readonly string[]): Promise<void>;
}

interface Ready {
  readonly url: string;
  readonly login_url: string;
  readonly api_key?: string;
}

/** A folder that is removed when the test ends. */
export function tempDir(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `baton-e2e-${name}-`));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

interface TowerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** An empty PostgreSQL database; default: the embedded one. */
  readonly databaseUrl?: string | undefined;
  /** Another control plane on the same PostgreSQL: they share the data directory. */
  readonly beside?: Tower;
}

/** Starts a control plane; it is ended with the test. */
export async function startTower(options: TowerOptions = {}): Promise<Tower> {
  const dataDir = options.beside?.dataDir ?? tempDir('tower');
  const template = inject('towerTemplate');
  const { databaseUrl } = options;
  if (databaseUrl === undefined) {
    const isKept = (path: string): boolean => !path.endsWith('.sock');
    cpSync(template.dataDir, dataDir, { recursive: true, filter: isKept });
  }
  const env = {
    ...options.env,
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  };
  let extra = options.args ?? [];
  let isOver = false;
  const start = (port: string): BatonProcess => {
    // A test that ran out of time goes on behind the next one: it starts nothing that nobody would end.
    if (isOver) throw new Error('the test of this control plane is over');
    const flags = ['--json', '--port', port, '--data-dir', dataDir];
    return startBaton(['server', ...flags, ...extra], env);
  };
  let current = start('0');
  onTestFinished(async () => {
    isOver = true;
    await current.end('SIGKILL');
  });
  const ready = await readyLine(current);
  const { url } = ready;
  const madeKey = databaseUrl === undefined ? template.apiKey : (ready.api_key ?? '');
  const apiKey = options.beside?.apiKey ?? madeKey;
  // Comes before the end of the process: what a test asks for last is done first.
  onTestFinished(async () => {
    if (!isAlive(current)) return;
    await auditTower(createClient({ baseUrl: url, token: apiKey, retriesMax: 0 }));
  });
  return {
    dataDir,
    url,
    loginUrl: ready.login_url,
    apiKey,
    client: createClient({ baseUrl: url, token: apiKey, retriesMax: 8 }),
    get process() {
      return current;
    },
    async kill() {
      await current.end('SIGKILL');
    },
    async restart(args) {
      await current.end('SIGKILL');
      extra = args ?? extra;
      current = start(new URL(url).port);
      await readyLine(current);
    },
  };
}

async function readyLine(it: BatonProcess): Promise<Ready> {
  return JSON.parse(await it.line((line) => line.startsWith('{'))) as Ready;
}

/** A worker that stops lets its agents finish for a while, then ends them: longer than both. */
const patienceMs = 60_000;

/** A worker of a test: the real binary as a process of its own. */
export interface FleetWorker {
  readonly name: string;
  readonly dataDir: string;
  readonly process: BatonProcess;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Joins a worker to the tower and waits until it is online. */
export async function startFleetWorker(
  tower: Tower,
  name: string,
  args: readonly string[] = [],
  token?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<FleetWorker> {
  const dataDir = tempDir(`worker-${name}`);
  const joinToken =
    token ?? (await tower.client.call('createWorkerToken', { body: { name } })).token;
  const { url } = tower;
  const flags = ['--url', url, '--token', joinToken, '--name', name, '--data-dir', dataDir];
  let isOver = false;
  const start = (): BatonProcess => {
    if (isOver) throw new Error('the test of this worker is over');
    return startBaton(['worker', ...flags, ...args], { BATON_LOG_LEVEL: 'info', ...env });
  };
  let current = start();
  onTestFinished(async () => {
    isOver = true;
    await endBaton(current, patienceMs);
  });
  await untilOnline(tower, name, () => current);
  return {
    name,
    dataDir,
    get process() {
      return current;
    },
    async kill() {
      await current.end('SIGKILL');
    },
    async restart() {
      await current.end('SIGKILL');
      current = start();
    },
  };
}

async function untilOnline(tower: Tower, name: string, it: () => BatonProcess): Promise<void> {
  await until(`worker ${name} is online`, async () => {
    if (!isAlive(it())) throw new Error(`worker ${name} ended:\n${it().stderr()}`);
    const { items } = await tower.client.call('listWorkers', {});
    return items.some((worker) => worker.name === name && worker.status === 'online');
  });
}

/** Asks again and again until it is so; rejects after `withinMs`, naming what was waited for. */
export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  withinMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
