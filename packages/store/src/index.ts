export { bind, statement, type Bound, type RowsOf, type Statement } from './statement.ts';
export { toJson, toTimestamptz } from './parameters.ts';
export { isStorageFull, StoreError, type StoreFailure } from './store-error.ts';
export type {
  AdminSession,
  Db,
  HintLine,
  HintListener,
  Queries,
  StatementShape,
  TransactionOutcome,
  Tx,
} from './db.ts';
export {
  openPglite,
  PGLITE_POSTGRES_MAJOR,
  type PgliteDb,
  type PgliteOptions,
} from './drivers/pglite.ts';
export type { PgliteStats } from './drivers/pglite-thread.ts';
export { openPostgres, type PostgresOptions } from './drivers/postgres.ts';
export {
  listAppliedMigrations,
  listMigrations,
  migrate,
  type Migration,
  type MigrationReport,
} from './migrate.ts';
export {
  removeLoose,
  type BlobRange,
  type BlobRef,
  type BlobSource,
  type BlobStore,
} from './blobs/blob-store.ts';
export { holdContent, unlessHeld } from './blobs/content-hold.ts';
export { openDirectoryBlobStore } from './blobs/directory-blob-store.ts';
export { TABLES } from './tables.ts';
export type { Column } from './tables/column.ts';
export type { Table } from './tables/table.ts';
export { loadList, loadRows, loadSlots, type LoadableList } from './world/load.ts';
export {
  type BatchNames,
  lockBatch,
  lockClaimCandidates,
  lockFreeSlots,
  lockRisenCandidates,
  lockRuns,
  seeClaimable,
} from './world/lock.ts';
export { writeStatements, type RowChange } from './world/write.ts';
export { appendEvents, fenceFeed, seeFeedEnd, type FeedEnd, type FeedPlace } from './feed.ts';
export { premiseLocks, type LockPremises } from './world/premises.ts';
export {
  findIdempotent,
  idempotencyId,
  insertIdempotent,
  type IdempotencyKey,
  type IdempotentReply,
} from './statements/idempotency.ts';
export {
  findDeclaredOutputs,
  listDueTimers,
  listExpiredLeases,
  listKnownEngines,
  listLimitedKeys,
  listNeeds,
  listOpenAttemptIds,
  listPasses,
  listWorkersToSweep,
  type ExpiredLease,
  type PresenceBounds,
} from './statements/services.ts';
export {
  feedHead,
  findEventPlace,
  readFeed,
  type EventFilter,
  type EventPlace,
  type EventRead,
  type FeedHead,
} from './statements/events.ts';
export {
  appendLogChunk,
  type LogOutcome,
  type LogPiece,
  type LogRead,
  type RunLogKey,
} from './statements/logs.ts';
export { createReads, type Reads } from './reads.ts';
export { listAwaitsToCheck, type MetAwait } from './statements/delegation.ts';
export type { AttemptCount, Count, RunningTask } from './statements/stats.ts';
export type { PageKey } from './statements/filter.ts';
export type { Findable } from './statements/find-ids.ts';
export type { RunFilter, RunRead } from './statements/runs.ts';
export type { TaskFilter, TaskRead } from './statements/tasks.ts';
export type { EdgeRead } from './statements/edges.ts';
export type { AttemptRead } from './statements/attempts.ts';
export type { CheckpointFilter, CheckpointRead } from './statements/checkpoints.ts';
export type { HolderRead, LimitRead } from './statements/scheduling.ts';
export type { WaitingNeeds, WorkerRead } from './statements/workers.ts';
export {
  createIdentity,
  type ApiKeyRecord,
  type Identity,
  type JoinTokenRecord,
  type NewApiKey,
  type Owner,
  type SessionRecord,
  type WorkerRecord,
} from './statements/identity.ts';
export { ensureMeta } from './statements/meta.ts';
export { findWrittenBytes, maintain, purgeExpired } from './statements/maintenance.ts';
export {
  isContentLoose,
  listPurgeable,
  purgeStep,
  type LooseContent,
  type Purgeable,
  type RemoveContent,
} from './statements/purge.ts';
export { loadAssignmentRows } from './statements/assignment.ts';
export type { AuditCheck, AuditFault } from './audit/audit-check.ts';
export { auditBlobs, type FindBlob } from './audit/blob-audit.ts';
export { AUDIT_CHECKS, auditDatabase, runCheck, type AuditFinding } from './audit/run-audit.ts';
export type { BackupBlobs } from './backup/backup-blobs.ts';
export { readBackupFile, verifyBackupFile, writeBackupFile } from './backup/backup-file.ts';
export type { BackupHeader, BackupRecord, BackupTotals } from './backup/backup-record.ts';
export { directoryBlobs } from './backup/directory-blobs.ts';
export { dumpDatabase, type BackupSink } from './backup/dump-database.ts';
export { exportDatabase } from './backup/export-database.ts';
export { moveDatabase } from './backup/move-database.ts';
export { restoreDatabase, type RestoreReport } from './backup/restore-database.ts';
export {
  findEpochs,
  INCARNATION_MAX,
  nextIncarnation,
  raiseIncarnation,
} from './statements/incarnation.ts';
export {
  dropSpentHistory,
  feedFloor,
  forgetLogs,
  listRunsToForget,
  turnHistory,
} from './statements/retention.ts';
