import pg from 'pg';
import { newDatabase } from '../database.ts';
import { summarize } from '../stats.ts';
import { addBulks, countTo, load, oneByOne, titleOf, type PeerFigures } from './peer.ts';

interface Api {
  readonly Logger: new (factory: () => () => void) => object;
  run(options: object): Promise<{ stop(): Promise<void> }>;
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>;
    addJobs(jobs: readonly object[]): Promise<unknown>;
    addJob(name: string, payload: object): Promise<unknown>;
    release(): Promise<void>;
  }>;
}

/**
 * graphile-worker. Default: claims one, completes one, ten at a time. Tuned: a local queue of 500, and
 * completions in batches.
 */
export async function measureGraphile(
  serverUrl: string,
  mode: 'default' | 'tuned',
  count: number,
): Promise<PeerFigures> {
  const { url, drop } = await newDatabase(serverUrl);
  const api = (await load('graphile-worker')) as unknown as Api;
  const pgPool = new pg.Pool({ connectionString: url, max: 28 });
  pgPool.on('error', () => undefined);
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  const logger = new api.Logger(() => () => undefined);
  const utils = await api.makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  let onJob = (): void => undefined;
  const startedMs = performance.now();
  await addBulks(count, (length) =>
    utils.addJobs(Array.from({ length }, () => ({ identifier: 'noop', payload: {} }))),
  );
  const enqueuedMs = performance.now();
  const drained = countTo(count, (tick) => (onJob = tick));
  const tuned = {
    concurrentJobs: 24,
    localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  };
  const runner = await api.run({
    pgPool,
    logger,
    noHandleSignals: true,
    preset: { worker: mode === 'tuned' ? tuned : { concurrentJobs: 10 } },
    taskList: { noop: () => onJob() },
  });
  await drained;
  const drainedMs = performance.now();
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
    name: titleOf('graphile-worker'),
    mode: mode === 'tuned' ? 'local queue of 500, batched completion' : 'default, ten at a time',
    enqueuePerSecond: count / ((enqueuedMs - startedMs) / 1_000),
    jobsPerSecond: count / ((drainedMs - startedMs) / 1_000),
    dispatch: summarize(took),
  };
}
