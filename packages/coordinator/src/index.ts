export { createCoordinator } from './coordinator.ts';
export type { Assigned, CommittedEvent, Coordinator, CoordinatorSettings } from './coordinator.ts';
export type { SubmitOptions } from './batch/batcher.ts';
export type { IdempotencyRequest } from './batch/pending.ts';
export { newId } from './ids.ts';
export type { Log } from './log.ts';
export type { LogWriter } from './logs/log-writer.ts';
export type { Service } from './service.ts';
export { createSchemaValidator, type SchemaValidator } from './validation/schema-validator.ts';
