import { newDatabase } from '../database.ts';
import { addBulks, countTo, load, titleOf, type PeerFigures } from './peer.ts';

interface Boss {
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  createQueue(name: string): Promise<void>;
  insert(jobs: readonly object[]): Promise<unknown>;
  fetch(name: string, options: object): Promise<readonly { readonly id: string }[]>;
  complete(name: string, ids: readonly string[]): Promise<unknown>;
  on(event: string, handler: (error: unknown) => void): void;
}

const loops = 10;

/** pg-boss, fetched and completed in batches of 50 by ten loops, without its polling. */
export async function measurePgBoss(serverUrl: string, count: number): Promise<PeerFigures> {
  const { url, drop } = await newDatabase(serverUrl);
  const PgBoss = (await load('pg-boss'))['default'] as new (url: string) => Boss;
  const boss = new PgBoss(url);
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue('noop');
  const startedMs = performance.now();
  await addBulks(count, (length) =>
    boss.insert(Array.from({ length }, () => ({ name: 'noop', data: {} }))),
  );
  const enqueuedMs = performance.now();
  let onJob = (): void => undefined;
  const drained = countTo(count, (tick) => (onJob = tick));
  const loop = async (): Promise<void> => {
    for (;;) {
      const jobs = await boss.fetch('noop', { batchSize: 50 });
      if (jobs.length === 0) return;
      await boss.complete(
        'noop',
        jobs.map((it) => it.id),
      );
      for (const _ of jobs) onJob();
    }
  };
  await Promise.all([drained, ...Array.from({ length: loops }, loop)]);
  const drainedMs = performance.now();
  await boss.stop({ graceful: false, wait: true });
  await drop();
  return {
    name: titleOf('pg-boss'),
    mode: 'ten loops that fetch and complete 50 at a time',
    enqueuePerSecond: count / ((enqueuedMs - startedMs) / 1_000),
    jobsPerSecond: count / ((drainedMs - startedMs) / 1_000),
    dispatch: null,
  };
}
