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
