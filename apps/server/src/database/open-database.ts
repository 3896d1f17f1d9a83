import { join } from 'node:path';
import { openPglite, openPostgres, type Db } from '@baton/store';
import type { ServerConfig } from '../config.ts';

/** Where the rows are, of a control plane's settings. */
export type DatabaseConfig = Pick<
  ServerConfig,
  'dataDir' | 'databaseUrl' | 'unsafeDurability' | 'checkReplies'
>;

/** Folder of the embedded database within a data directory. */
export function embeddedDirectory(dataDir: string): string {
  return join(dataDir, 'db');
}

/** Folder of the blobs within a data directory. */
export function blobsDirectory(dataDir: string): string {
  return join(dataDir, 'blobs');
}

/**
 * Opens the database of these settings; the embedded one is locked while it is open, and shows `owner` to
 * whoever finds it so. @throws {AppError} data_dir_in_use, store_unavailable, unsafe_durability, ...
 */
export function openDatabase(
  config: DatabaseConfig,
  owner: Readonly<Record<string, string | number>>,
): Promise<Db> {
  const { dataDir, databaseUrl, unsafeDurability, checkReplies: checkRows } = config;
  if (databaseUrl !== undefined) {
    return openPostgres({ url: databaseUrl, unsafeDurability, checkRows });
  }
  return openPglite({
    dataDir: embeddedDirectory(dataDir),
    unsafeDurability,
    checkRows,
    lockInfo: owner,
  });
}
