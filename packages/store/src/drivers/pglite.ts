// The embedded database: PGlite in a thread of its own, in `<dataDir>/postgres`, spoken to over the
// PostgreSQL protocol. One connection, so every transaction, snapshot and statement takes its turn.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import type { Db, TransactionOutcome } from '../db.ts';
import { syncDirectory } from '../directory-sync.ts';
import { openDirectoryLock, type LockInfo } from '@baton/directory-lock';
import { createDb } from './create-db.ts';
import { PgliteStream } from './pglite-stream.ts';
import { PgliteThread, type PgliteStats } from './pglite-thread.ts';
import { BATCH_PLANS, SESSION_SETUP, Session } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { askOutcome } from './transaction-outcome.ts';

/** The PostgreSQL inside PGlite; its files are read by no other major version. */
export const PGLITE_POSTGRES_MAJOR = '18';

/** Where and how to open the embedded database. */
export interface PgliteOptions {
  /** Made when it does not exist. Locked while open; see `openDirectoryLock`. */
  readonly dataDir: string;
  /** True skips fsync: a power cut may then lose or damage everything. For tests. */
  readonly unsafeDurability?: boolean;
  /** Compares every row with the shape that its statement declares. For tests. */
  readonly checkRows?: boolean;
  /** URL of a module that wraps the database's file operations (`install(NODEFS)`). For tests. */
  readonly fileLayer?: string;
  /** Told to whoever finds the directory in use. */
  readonly lockInfo?: LockInfo;
}

/** The embedded database. */
export interface PgliteDb extends Db {
  /** How often the database forced something to disk since its thread started. */
  stats(): Promise<PgliteStats>;
  /** Ends the database's thread as a crash would; the next use starts another. For tests. */
  crash(): Promise<void>;
}

/**
 * Opens the embedded database, and makes it first where there is none (about 2 s). A crash of its
 * thread fails what was running and the next use opens it again.
 * @throws {AppError} `data_dir_in_use` when another process has it open, `data_dir_version` when it was
 * made by another PostgreSQL, `store_unavailable` when it does not start
 */
export async function openPglite(options: PgliteOptions): Promise<PgliteDb> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const lock = await openDirectoryLock(options.dataDir, options.lockInfo);
  try {
    const cluster = join(options.dataDir, 'postgres');
    const isDurable = options.unsafeDurability !== true;
    await prepareCluster(options.dataDir, cluster, isDurable);
    const db = new EmbeddedSessions(
      cluster,
      isDurable,
      options.checkRows === true,
      options.fileLayer,
    );
    return await db.open(() => lock.close());
  } catch (error) {
    await lock.close();
    throw error instanceof AppError ? error : unavailable(options.dataDir, error);
  }
}

function unavailable(dataDir: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AppError(
    'store_unavailable',
    `The embedded database in ${dataDir} does not start: ${reason}`,
    { cause, detail: { data_dir: dataDir } },
  );
}

/** An interrupted first start leaves only `postgres.new`, which the next one replaces. */
async function prepareCluster(dataDir: string, cluster: string, isDurable: boolean): Promise<void> {
  if (existsSync(cluster)) {
    await assertVersion(dataDir, cluster);
    return;
  }
  const fresh = `${cluster}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await PgliteThread.create(fresh, isDurable);
  await rename(fresh, cluster);
  await syncDirectory(dataDir);
}

async function assertVersion(dataDir: string, cluster: string): Promise<void> {
  const version = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version?.trim() === PGLITE_POSTGRES_MAJOR) return;
  const found = version === undefined ? 'no PostgreSQL database' : `PostgreSQL ${version.trim()}`;
  throw new AppError(
    'data_dir_version',
    `${cluster} holds ${found}, and this version of Baton reads PostgreSQL ${PGLITE_POSTGRES_MAJOR}. ` +
      'Open it with the version of Baton that made it, or choose another data directory.',
    { detail: { data_dir: dataDir, found, expected: PGLITE_POSTGRES_MAJOR } },
  );
}

/** Starts a thread per session; there is one session at a time. */
class EmbeddedSessions {
  readonly #cluster: string;
  readonly #isDurable: boolean;
  readonly #checkRows: boolean;
  readonly #fileLayer: string | undefined;
  #thread: PgliteThread | undefined;
  /**
   * Transactions whose COMMIT a crash left unanswered. They are asked about before anything else runs on
   * the reopened database, because an id that never reached the disk is given out again.
   */
  readonly #doubtful = new Map<string, TransactionOutcome | undefined>();

  constructor(
    cluster: string,
    isDurable: boolean,
    checkRows: boolean,
    fileLayer: string | undefined,
  ) {
    this.#fileLayer = fileLayer;
    this.#cluster = cluster;
    this.#isDurable = isDurable;
    this.#checkRows = checkRows;
  }

  async open(onClosed: () => Promise<void>): Promise<PgliteDb> {
    const pool = new SessionPool({ size: 1, open: () => this.#openSession() });
    try {
      await pool.use(() => Promise.resolve());
    } catch (error) {
      await this.#thread?.kill();
      throw error;
    }
    const db = createDb({
      kind: 'pglite',
      writers: pool,
      readers: pool,
      onTimeout: 'rollback',
      atBegin: BATCH_PLANS.map((setting) => `set local ${setting}`),
      onUnknown: (xid) => this.#doubtful.set(xid, undefined),
      findOutcome: (xid) => this.#doubtful.get(xid),
      exclusive: (work) => pool.use(work),
      onClosed: async () => {
        // The directory is free for others only when nothing of ours writes to it any more.
        await this.#thread?.kill();
        await onClosed();
      },
    });
    return {
      ...db,
      stats: () => pool.use(() => this.#running().stats()),
      crash: () => this.#running().kill(),
    };
  }

  async #openSession(): Promise<Session> {
    // Never two threads on one directory: the last one must be gone.
    await this.#thread?.kill();
    const thread = await PgliteThread.serve(this.#cluster, this.#isDurable, this.#fileLayer);
    this.#thread = thread;
    const session = await Session.open({
      client: {
        stream: () => new PgliteStream(thread.worker),
        user: 'postgres',
        database: 'postgres',
        ssl: false,
      },
      setup: SESSION_SETUP,
      checkRows: this.#checkRows,
      end: async (session) => {
        await session.script('checkpoint');
        await thread.close();
      },
    });
    for (const [xid, outcome] of this.#doubtful) {
      if (outcome !== undefined) continue;
      this.#doubtful.set(xid, await askOutcome((bound) => session.run(bound), xid));
    }
    return session;
  }

  #running(): PgliteThread {
    if (this.#thread === undefined) throw new Error('the database is not open');
    return this.#thread;
  }
}
