// What an operator does to a database while no control plane works on it. Each opens the database of a
// data directory or of a URL, does one thing, and closes it.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { AppError } from '@baton/contract';
import {
  directoryBlobs,
  dumpDatabase,
  exportDatabase,
  listAppliedMigrations,
  listMigrations,
  migrate,
  moveDatabase,
  openPostgres,
  readBackupFile,
  restoreDatabase,
  verifyBackupFile,
  writeBackupFile,
  type AuditFinding,
  type BackupTotals,
  type Db,
  type RestoreReport,
} from '@baton/store';
import { parseServerConfig, type ServerConfig, type ServerConfigInput } from '../config.ts';
import { auditEverything } from './audit-everything.ts';
import { blobsDirectory, embeddedDirectory, openDatabase } from './open-database.ts';

/** Where the database is: of `ServerConfigInput`, what has to do with it. */
export type DatabaseSettings = Pick<
  ServerConfigInput,
  'dataDir' | 'databaseUrl' | 'unsafeDurability'
>;

/** Which migrations a database has, and which this version would apply. */
export interface MigrationStatus {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
}

type Work<T> = (db: Db, config: ServerConfig) => Promise<T>;

async function withDatabase<T>(settings: DatabaseSettings, work: Work<T>): Promise<T> {
  const config = parseServerConfig(settings);
  if (config.databaseUrl === undefined && !existsSync(embeddedDirectory(config.dataDir))) {
    throw new AppError('not_found', `There is no database in ${config.dataDir}.`);
  }
  const db = await openDatabase(config, { role: 'database tool' });
  try {
    return await work(db, config);
  } finally {
    await db.close();
  }
}

/** The same for a database that may have to be made. */
async function withNewDatabase<T>(settings: DatabaseSettings, work: Work<T>): Promise<T> {
  const { dataDir } = parseServerConfig(settings);
  await mkdir(embeddedDirectory(dataDir), { recursive: true, mode: 0o700 });
  return withDatabase(settings, work);
}

/** Rows that an older version wrote are looked at only once they have the schema of this one. */
async function assertCurrent(db: Db): Promise<void> {
  const { pending } = await statusOf(db);
  if (pending.length === 0) return;
  throw new AppError(
    'schema_older',
    `The database has the schema of an older version of Baton (${pending.length} migrations behind): \`baton db migrate\` brings it up to date.`,
    { detail: { pending: [...pending] } },
  );
}

async function statusOf(db: Db): Promise<MigrationStatus> {
  const applied = await listAppliedMigrations(db);
  const known = (await listMigrations()).map(({ name }) => name);
  return { applied, pending: known.filter((name) => !applied.includes(name)) };
}

/** Holds every stored row and blob against the rules. One finding a rule. */
export function checkDatabase(settings: DatabaseSettings): Promise<readonly AuditFinding[]> {
  return withDatabase(settings, async (db, { dataDir }) => {
    await assertCurrent(db);
    return auditEverything(db, blobsDirectory(dataDir));
  });
}

/** Writes a backup of rows and blobs to a new file. @throws {AppError} already_exists */
export function backupDatabase(settings: DatabaseSettings, file: string): Promise<BackupTotals> {
  return withDatabase(settings, async (db, { dataDir }) => {
    await assertCurrent(db);
    const blobs = directoryBlobs(blobsDirectory(dataDir));
    return writeBackupFile(file, (sink) => dumpDatabase(db, blobs, sink));
  });
}

/**
 * Puts a backup into an empty database, which is made where there is none, and its blobs beside it.
 * @throws {AppError} backup_damaged, not_empty, schema_newer
 */
export async function restoreFromBackup(
  settings: DatabaseSettings,
  file: string,
): Promise<RestoreReport> {
  await verifyBackupFile(file);
  return withNewDatabase(settings, (db, { dataDir }) =>
    restoreDatabase(db, directoryBlobs(blobsDirectory(dataDir)), readBackupFile(file)),
  );
}

/** Reads a backup to its end and tells what it holds. @throws {AppError} backup_damaged */
export function verifyBackup(file: string): ReturnType<typeof verifyBackupFile> {
  return verifyBackupFile(file);
}

/** Every row as a line of JSON, without secrets. Resolves with their number. */
export function exportRows(
  settings: DatabaseSettings,
  write: (line: string) => Promise<void> | void,
): Promise<number> {
  return withDatabase(settings, async (db) => {
    await assertCurrent(db);
    return exportDatabase(db, write);
  });
}

/** Which migrations there are; changes nothing. */
export function migrationStatus(settings: DatabaseSettings): Promise<MigrationStatus> {
  return withDatabase(settings, statusOf);
}

/** Brings a database to the schema of this version. Resolves with what was applied. */
export function applyMigrations(settings: DatabaseSettings): Promise<readonly string[]> {
  return withDatabase(settings, async (db) => (await migrate(db)).applied);
}

/**
 * Copies everything into an empty PostgreSQL database, brought up to date first. Blobs stay in the data
 * directory, where the control plane on the new database goes on using them.
 * @throws {AppError} not_empty, unsafe_durability
 */
export function moveTo(settings: DatabaseSettings, url: string): Promise<RestoreReport> {
  return withDatabase(settings, async (db, { dataDir, unsafeDurability }) => {
    await migrate(db);
    const target = await openPostgres({ url, unsafeDurability });
    try {
      const blobs = directoryBlobs(blobsDirectory(dataDir));
      return await moveDatabase({ db, blobs }, { db: target });
    } finally {
      await target.close();
    }
  });
}
