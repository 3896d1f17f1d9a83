import { newDatabase } from '../database.ts';
import { summarize } from '../stats.ts';
import { addFrom, countTo, load, oneByOne, titleOf, type PeerFigures } from './peer.ts';

interface Api {
  readonly DBOS: {
    registerWorkflow(body: () => Promise<void>, options: object): () => Promise<void>;
    runStep(body: () => Promise<void>, options: object): Promise<void>;
    setConfig(config: object): void;
    launch(): Promise<void>;
    shutdown(): Promise<void>;
    startWorkflow(workflow: () => Promise<void>): () => Promise<unknown>;
  };
}

const callers = 50;

let workflow: (() => Promise<void>) | undefined;
let onJob = (): void => undefined;

/** DBOS: workflows of one durable step, started in the process that runs them, 50 at a time. */
export async function measureDbos(serverUrl: string, count: number): Promise<PeerFigures> {
  const { url, drop } = await newDatabase(serverUrl);
  const { DBOS } = (await load('@dbos-inc/dbos-sdk')) as unknown as Api;
  workflow ??= DBOS.registerWorkflow(
    async () => {
      await DBOS.runStep(() => Promise.resolve(), { name: 'step' });
      onJob();
    },
    { name: 'noop' },
  );
  const body = workflow;
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: 20,
    runAdminServer: false,
    logLevel: 'error',
  });
  await DBOS.launch();
  const startedMs = performance.now();
  const drained = countTo(count, (tick) => (onJob = tick));
  await addFrom(callers, count, () => DBOS.startWorkflow(body)());
  const enqueuedMs = performance.now();
  await drained;
  const drainedMs = performance.now();
  const took = await oneByOne(
    100,
    (tick) => (onJob = tick),
    () => DBOS.startWorkflow(body)(),
  );
  await DBOS.shutdown();
  await drop();
  return {
    name: titleOf('@dbos-inc/dbos-sdk'),
    mode: 'workflows of one step, 50 at a time in one process',
    enqueuePerSecond: count / ((enqueuedMs - startedMs) / 1_000),
    jobsPerSecond: count / ((drainedMs - startedMs) / 1_000),
    dispatch: summarize(took),
  };
}
