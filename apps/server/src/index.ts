export { startServer, type RunningServer } from './start.ts';
export {
  applyMigrations,
  backupDatabase,
  checkDatabase,
  exportRows,
  migrationStatus,
  moveTo,
  restoreFromBackup,
  verifyBackup,
  type DatabaseSettings,
  type MigrationStatus,
} from './database/database-tools.ts';
export { serverConfig, type ServerConfig, type ServerConfigInput } from './config.ts';
export { createEventHub, type EventHub } from './streams/event-hub.ts';
export { eventStream } from './streams/event-stream.ts';
export { feedStart } from './streams/feed-cursor.ts';
