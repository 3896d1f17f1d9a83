export { startWorker } from './worker.ts';
export type { StopMode, Worker, WorkerSettings } from './worker.ts';
export type { WorkerConfig, WorkerConfigInput } from './config.ts';
