import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { newDatabase } from './database.ts';
import { summarize, type Summary } from './stats.ts';

/** The newest versions that run on Node 20. */
export const PEERS = { 'graphile-worker': '0.17.3', 'pg-boss': '10.4.2' } as const;

const folder = fileURLToPath(new URL('../../.cache/bench', import.meta.url));

/** Installs the peers beside the project, never into it. */
export function installPeers(): void {
  const wanted = Object.entries(PEERS).map(([name, version]) => `${name}@${version}`);
  if (Object.keys(PEERS).every((name) => existsSync(join(folder, 'node_modules', name)))) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', ...wanted], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error(`npm could not install ${wanted.join(' ')}`);
}

async function load(name: keyof typeof PEERS): Promise<Record<string, unknown>> {
  const path = createRequire(join(folder, 'package.json')).resolve(name);
  return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
}

/** One peer's figures on the same PostgreSQL server. */
export interface PeerFigures {
  readonly name: string;
  readonly jobsPerSecond: number;
  readonly dispatch: Summary;
}

interface GraphileApi {
  readonly Logger: new (factory: () => () => void) => object;
  run(options: object): Promise<{ stop(): Promise<void> }>;
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>;
    addJobs(jobs: readonly object[]): Promise<unknown>;
    addJob(name: string, payload: object): Promise<unknown>;
    release(): Promise<void>;
  }>;
}

/** graphile-worker in its default mode: claim one, complete one, concurrency 10 and 50 connections at most. */
export async function measureGraphile(serverUrl: string, count: number): Promise<PeerFigures> {
  const { url, drop } = await newDatabase(serverUrl);
  const imported = await load('graphile-worker');
  const api = (imported['default'] ?? imported) as unknown as GraphileApi;
  const pgPool = new pg.Pool({ connectionString: url, max: 12 });
  pgPool.on('error', () => undefined);
  const logger = new api.Logger(() => () => undefined);
  const utils = await api.makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  let onJob = (): void => undefined;
  const startedMs = performance.now();
  for (let from = 0; from < count; from += 500) {
    await utils.addJobs(
      Array.from({ length: Math.min(500, count - from) }, () => ({
        identifier: 'noop',
        payload: {},
      })),
    );
  }
  const drained = countTo(count, (tick) => (onJob = tick));
  const runner = await api.run({
    pgPool,
    logger,
    concurrency: 10,
    noHandleSignals: true,
    noPreparedStatements: false,
    pollInterval: 2_000,
    taskList: { noop: () => onJob() },
  });
  await drained;
  const jobsPerSecond = count / ((performance.now() - startedMs) / 1_000);
  const took = await oneByOne(
    100,
    (tick) => (onJob = tick),
    () => utils.addJob('noop', {}),
  );
  await runner.stop();
  await utils.release();
  await pgPool.end();
  await drop();
  return {
    name: `graphile-worker ${PEERS['graphile-worker']}`,
    jobsPerSecond,
    dispatch: summarize(took),
  };
}

interface BossApi {
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  createQueue(name: string): Promise<void>;
  insert(jobs: readonly object[]): Promise<unknown>;
  send(name: string, data: object): Promise<unknown>;
  work(
    name: string,
    options: object,
    handler: (jobs: readonly object[]) => Promise<void>,
  ): Promise<string>;
  on(event: string, handler: (error: unknown) => void): void;
}

/** pg-boss with large batches and its shortest polling. */
export async function measurePgBoss(serverUrl: string, count: number): Promise<PeerFigures> {
  const { url, drop } = await newDatabase(serverUrl);
  const imported = await load('pg-boss');
  const PgBoss = (imported['default'] ?? imported) as unknown as new (url: string) => BossApi;
  const boss = new PgBoss(url);
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue('noop');
  let onJob = (): void => undefined;
  const startedMs = performance.now();
  for (let from = 0; from < count; from += 500) {
    await boss.insert(
      Array.from({ length: Math.min(500, count - from) }, () => ({ name: 'noop', data: {} })),
    );
  }
  const drained = countTo(count, (tick) => (onJob = tick));
  for (let worker = 0; worker < 10; worker++) {
    await boss.work('noop', { batchSize: 50, pollingIntervalSeconds: 0.5 }, (jobs) => {
      for (const _ of jobs) onJob();
      return Promise.resolve();
    });
  }
  await drained;
  const jobsPerSecond = count / ((performance.now() - startedMs) / 1_000);
  const took = await oneByOne(
    20,
    (tick) => (onJob = tick),
    () => boss.send('noop', {}),
  );
  await boss.stop({ graceful: false, wait: true });
  await drop();
  return { name: `pg-boss ${PEERS['pg-boss']}`, jobsPerSecond, dispatch: summarize(took) };
}

function countTo(count: number, listen: (tick: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    listen(() => {
      seen += 1;
      if (seen === count) resolve();
    });
  });
}

async function oneByOne(
  samples: number,
  listen: (tick: () => void) => void,
  add: () => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const handled = new Promise<number>((resolve) => listen(() => resolve(performance.now())));
    const startedMs = performance.now();
    await add();
    took.push((await handled) - startedMs);
  }
  return took;
}
