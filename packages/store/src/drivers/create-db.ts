import * as z from 'zod';
import type { AdminSession, Db, TransactionOutcome } from '../db.ts';
import { bind, statement } from '../statement.ts';
import { StoreError } from '../store-error.ts';
import type { SessionPool } from './session-pool.ts';
import { runTransaction, type TransactionMode } from './transaction.ts';

const TRANSACTION_MS_MAX = 10_000;
const SNAPSHOT_MS_MAX = 5_000;

const transactionStatus = statement({
  name: 'transactionStatus',
  args: (xid: string) => [xid],
  row: z.strictObject({ status: z.enum(['committed', 'aborted', 'in progress']).nullable() }),
  sql: `select pg_xact_status($1::xid8) as status`,
});

/** The parts in which the drivers differ. */
export interface DbParts {
  readonly kind: Db['kind'];
  readonly writers: SessionPool;
  readonly readers: SessionPool;
  readonly onTimeout: TransactionMode['onTimeout'];
  readonly exclusive: <T>(work: (admin: AdminSession) => Promise<T>) => Promise<T>;
  /** Runs after all connections are closed. */
  readonly onClosed: () => Promise<void>;
}

/** A `Db` over pools of sessions; the embedded database uses one pool for everything. */
export function createDb(parts: DbParts): Db {
  const { kind, writers, readers, onTimeout, exclusive, onClosed } = parts;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    try {
      await Promise.all([writers.close(), readers.close()]);
    } finally {
      await onClosed();
    }
  };
  const query: Db['query'] = (asked, ...args) => {
    const bound = bind(asked, ...args);
    return readers.use((session) => session.run(bound));
  };
  const snapshot: TransactionMode = {
    begin: 'begin isolation level repeatable read, read only',
    asksXid: false,
    openMsMax: SNAPSHOT_MS_MAX,
    onTimeout,
  };
  const readWrite: TransactionMode = {
    begin: 'begin isolation level read committed, read write',
    asksXid: true,
    openMsMax: TRANSACTION_MS_MAX,
    onTimeout,
  };
  return {
    kind,
    query,
    readSnapshot: (work) => readers.use((session) => runTransaction(session, snapshot, work)),
    transaction: (work) => writers.use((session) => runTransaction(session, readWrite, work)),
    async outcomeOf(xid): Promise<TransactionOutcome> {
      const [row] = await query(transactionStatus, xid);
      const status = row?.status ?? null;
      if (status === null)
        throw new StoreError('data', `transaction ${xid} is too old to ask about`);
      return status === 'in progress' ? 'in_progress' : status;
    },
    exclusive,
    close(): Promise<void> {
      closed ??= close();
      return closed;
    },
  };
}
