export { startWorker } from './worker.ts';
export type { StopMode } from './stop.ts';
export type { Worker, WorkerSettings } from './worker.ts';
export type { WorkerConfig, WorkerConfigInput } from './config.ts';
