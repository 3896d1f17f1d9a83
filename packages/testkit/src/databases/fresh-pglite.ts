import { constants, cpSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@baton/contract';
import { openDirectoryLock, type DirectoryLock } from '@baton/directory-lock';
import { migrate, openPglite, PGLITE_POSTGRES_MAJOR } from '@baton/store';
import type { FreshDatabase, FreshOptions, OpenDatabase } from './fresh-databases.ts';
import { migrationsDigest } from './migrations-digest.ts';
import { openDatabase } from './open-database.ts';

const TEMPLATE_POLL_MS = 100;
/** A template that no test has used for so long is of migrations that are no more. */
const TEMPLATE_KEPT_MS = 2 * 24 * 3_600_000;

/** The embedded database, in a directory of its own. */
export function freshPglite(): FreshDatabase {
  return { name: 'pglite', title: 'PGlite', isSkipped: false, open };
}

async function open(options: FreshOptions = {}): Promise<OpenDatabase> {
  const template = await templateOf(options.isMigrated !== false);
  const dataDir = await mkdtemp(join(tmpdir(), 'baton-test-db-'));
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    cpSync(template, join(dataDir, 'postgres'), {
      recursive: true,
      mode: constants.COPYFILE_FICLONE,
    });
    return await openDatabase({
      location: dataDir,
      open: () =>
        openPglite({ dataDir, checkRows: true, unsafeDurability: options.isDurable !== true }),
      remove,
    });
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Made by the first test that needs it; the others, in whatever process, wait. */
async function templateOf(isMigrated: boolean): Promise<string> {
  const digest = isMigrated ? await migrationsDigest() : 'empty';
  const base = join(tmpdir(), `baton-test-template-${userInfo().uid}`);
  const template = join(base, `${PGLITE_POSTGRES_MAJOR}-${digest}`);
  if (await isThere(template)) return template;
  const building = `${template}.building`;
  await mkdir(building, { recursive: true, mode: 0o700 });
  const lock = await waitForLock(building);
  try {
    if (!(await isThere(template))) {
      await removeUnused(base);
      await build(join(building, 'data'), template, isMigrated);
    }
  } finally {
    await lock.close();
  }
  return template;
}

/** Notes that it is used, so that it is not removed. */
async function isThere(template: string): Promise<boolean> {
  const now = new Date();
  return utimes(template, now, now).then(
    () => true,
    () => false,
  );
}

async function removeUnused(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    if (name.endsWith('.building')) continue;
    const path = join(base, name);
    // Another process may be removing it.
    const found = await stat(path).catch(() => undefined);
    const unusedMs = Date.now() - (found?.mtimeMs ?? Infinity);
    if (unusedMs > TEMPLATE_KEPT_MS) await rm(path, { recursive: true, force: true });
  }
}

async function waitForLock(directory: string): Promise<DirectoryLock> {
  for (;;) {
    try {
      return await openDirectoryLock(directory);
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'data_dir_in_use')) throw error;
      await sleep(TEMPLATE_POLL_MS);
    }
  }
}

async function build(dataDir: string, template: string, isMigrated: boolean): Promise<void> {
  await rm(dataDir, { recursive: true, force: true });
  const db = await openPglite({ dataDir, unsafeDurability: true });
  try {
    if (isMigrated) await migrate(db);
  } finally {
    await db.close();
  }
  await rename(join(dataDir, 'postgres'), template);
}
