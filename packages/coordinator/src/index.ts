export { assembleCoordinator, createCoordinator } from './coordinator.ts';
export type {
  Assigned,
  CommittedEvent,
  Coordinator,
  CoordinatorOptions,
  CoordinatorPorts,
  CoordinatorSettings,
} from './coordinator.ts';
export type { SubmitOptions } from './batch/batcher.ts';
export type { IdempotencyRequest } from './batch/pending.ts';
export { newId } from './ids.ts';
export type { Log } from './log.ts';
export type { LogWriter } from './logs/log-writer.ts';
export type { Runtime } from './runtime.ts';
export type { Reconciler, Service } from './service.ts';
export { createPurgeSweep } from './services/purge-sweep.ts';
export { createRetention, type Keep } from './services/retention.ts';
export type {
  BatchStore,
  BatchTx,
  BatchWrites,
  Candidates,
  FeedState,
  Opened,
  Placed,
  Premises,
  StoredList,
} from './store/batch-store.ts';
export type { CoordinatorStore, OfProject, ServiceStore } from './store/coordinator-store.ts';
export { createSqlStore } from './store/sql-store.ts';
export { createSchemaValidator, type SchemaValidator } from './validation/schema-validator.ts';
