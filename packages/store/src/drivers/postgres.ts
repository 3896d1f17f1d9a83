// A PostgreSQL server. Batches and reads have connections of their own, so that a slow read never holds
// up a commit. `lock_timeout` and `idle_in_transaction_session_timeout` keep a frozen replica from
// holding the others; `statement_timeout` ends what a dropped connection left running.
import * as z from 'zod';
import { AppError } from '@baton/contract';
import type { AdminSession, Db, HintLine, HintListener } from '../db.ts';
import { bind, statement } from '../statement.ts';
import { HINT_CHANNEL, sendHint } from '../statements/hints.ts';
import { createDb } from './create-db.ts';
import { BATCH_PLANS, SESSION_SETUP, Session, type SessionOptions } from './session.ts';
import { SessionPool } from './session-pool.ts';

/** Where the server is and how to use it. */
export interface PostgresOptions {
  /** `postgres://user:password@host/database`; a Unix socket as `?host=/path`. */
  readonly url: string;
  /** Connections for transactions; 2 by default. */
  readonly writerCount?: number;
  /** Connections for reads; 8 by default. */
  readonly readerCount?: number;
  /** True accepts a server with `fsync` or `synchronous_commit` off. */
  readonly unsafeDurability?: boolean;
  /** Compares every row with the shape that its statement declares. For tests. */
  readonly checkRows?: boolean;
}

const WRITER_SETUP = `${SESSION_SETUP};
  ${BATCH_PLANS.map((setting) => `set ${setting}`).join('; ')};
  set lock_timeout = '5s';
  set idle_in_transaction_session_timeout = '5s';
  set statement_timeout = '10s'`;

const READER_SETUP = `${SESSION_SETUP};
  set lock_timeout = '5s';
  set idle_in_transaction_session_timeout = '5s';
  set statement_timeout = '30s'`;

/** Hints need not survive anything: nobody waits for the disk because of them. */
const HINT_SETUP = `${SESSION_SETUP};
  set synchronous_commit = off;
  set lock_timeout = '5s';
  set statement_timeout = '5s';
  listen ${HINT_CHANNEL}`;

const CONNECT_MS_MAX = 5_000;
const SERVER_VERSION_MIN = 150_000;

const serverSettings = statement({
  name: 'serverSettings',
  args: () => [],
  row: z.strictObject({ version: z.int(), fsync: z.string(), synchronous_commit: z.string() }),
  sql: `
    select current_setting('server_version_num')::int as version,
           current_setting('fsync') as fsync,
           current_setting('synchronous_commit') as synchronous_commit`,
});

/**
 * Opens a PostgreSQL database and checks that it can be trusted with acknowledged work.
 * @throws {AppError} `store_unavailable` when it cannot be reached, `not_supported` before version 15,
 * `unsafe_durability` when it would lose commits
 */
export async function openPostgres(options: PostgresOptions): Promise<Db> {
  const openSession = (setup: string): Promise<Session> =>
    Session.open(sessionOptions(options, setup));
  const exclusive = async <T>(work: (admin: AdminSession) => Promise<T>): Promise<T> => {
    const session = await openSession(SESSION_SETUP).catch(throwUnreachable);
    try {
      return await work(session);
    } finally {
      await session.end();
    }
  };
  const [settings] = await exclusive((admin) => admin.query(serverSettings));
  if (settings !== undefined) assertTrusted(settings, options.unsafeDurability === true);
  return createDb({
    kind: 'postgres',
    writers: new SessionPool({
      size: options.writerCount ?? 2,
      open: () => openSession(WRITER_SETUP),
    }),
    readers: new SessionPool({
      size: options.readerCount ?? 8,
      open: () => openSession(READER_SETUP),
    }),
    onTimeout: 'drop',
    exclusive,
    openHints: async (listener) => openHintLine(await openSession(HINT_SETUP), listener),
    onClosed: () => Promise.resolve(),
  });
}

function openHintLine(session: Session, { onHint, onLost }: HintListener): HintLine {
  session.onHint = onHint;
  let isClosed = false;
  session.onLost = () => {
    if (!isClosed) onLost();
  };
  return {
    async send(text) {
      await session.run(bind(sendHint, text));
    },
    close() {
      isClosed = true;
      session.onHint = undefined;
      session.destroy();
    },
  };
}

function sessionOptions(options: PostgresOptions, setup: string): SessionOptions {
  return {
    client: {
      connectionString: options.url,
      application_name: 'baton',
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS_MAX,
    },
    setup,
    checkRows: options.checkRows === true,
  };
}

function throwUnreachable(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new AppError('store_unavailable', `PostgreSQL cannot be reached: ${reason}`, { cause });
}

function assertTrusted(
  settings: {
    readonly version: number;
    readonly fsync: string;
    readonly synchronous_commit: string;
  },
  isUnsafeAllowed: boolean,
): void {
  if (settings.version < SERVER_VERSION_MIN) {
    throw new AppError(
      'not_supported',
      `This server is PostgreSQL ${Math.floor(settings.version / 10_000)}; Baton needs 15 or later.`,
      { detail: { server_version: settings.version } },
    );
  }
  if (isUnsafeAllowed) return;
  for (const name of ['fsync', 'synchronous_commit'] as const) {
    if (settings[name] !== 'off') continue;
    throw new AppError(
      'unsafe_durability',
      `The server runs with ${name}=off, so a power cut may lose work that was confirmed. ` +
        'Turn it on, or start with --unsafe-durability.',
      { detail: { setting: name } },
    );
  }
}
