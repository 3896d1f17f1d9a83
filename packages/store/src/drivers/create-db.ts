import type { AdminSession, Db, TransactionOutcome } from '../db.ts';
import { bind } from '../statement.ts';
import type { SessionPool } from './session-pool.ts';
import { runTransaction, type TransactionMode } from './transaction.ts';
import { askOutcome } from './transaction-outcome.ts';
import { createWholeWriter } from './whole-write.ts';

const TRANSACTION_MS_MAX = 10_000;
const SNAPSHOT_MS_MAX = 5_000;

/** The parts in which the drivers differ. */
export interface DbParts {
  readonly kind: Db['kind'];
  readonly writers: SessionPool;
  readonly readers: SessionPool;
  readonly onTimeout: TransactionMode['onTimeout'];
  readonly onUnknown?: TransactionMode['onUnknown'];
  /** Settings that each transaction begins with, where its connection is not for transactions alone. */
  readonly atBegin?: readonly string[];
  /** An outcome that is known without asking. */
  readonly findOutcome?: (xid: string) => TransactionOutcome | undefined;
  readonly exclusive: <T>(work: (admin: AdminSession) => Promise<T>) => Promise<T>;
  readonly openHints?: NonNullable<Db['openHints']>;
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
    begin: ['begin isolation level read committed, read write', ...(parts.atBegin ?? [])].join(';'),
    asksXid: true,
    openMsMax: TRANSACTION_MS_MAX,
    onTimeout,
    ...(parts.onUnknown && { onUnknown: parts.onUnknown }),
  };
  return {
    kind,
    query,
    readSnapshot: (work) => readers.use((session) => runTransaction(session, snapshot, work)),
    writeWhole: createWholeWriter(writers, readWrite),
    transaction: (work) => writers.use((session) => runTransaction(session, readWrite, work)),
    async outcomeOf(xid) {
      // A connection first: after a crash it is what resolves the outcomes that are then found.
      return readers.use(
        async (session) => parts.findOutcome?.(xid) ?? askOutcome((one) => session.run(one), xid),
      );
    },
    ...(parts.openHints && { openHints: parts.openHints }),
    exclusive,
    close(): Promise<void> {
      closed ??= close();
      return closed;
    },
  };
}
