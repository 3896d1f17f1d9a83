import type { Bound, RowsOf, Statement } from './statement.ts';

/** What can be asked inside a snapshot or a transaction. */
export interface Queries {
  /** Rows of one statement. @throws {StoreError} */
  query<Args extends readonly unknown[], Row>(
    asked: Statement<Args, Row>,
    ...args: Args
  ): Promise<Row[]>;
  /** Sends all in one round trip; the first error wins and the later ones have no effect. */
  pipeline<const List extends readonly Bound<unknown>[]>(bound: List): Promise<RowsOf<List>>;
}

/** What asks one statement at a time: `Db`, a snapshot or a transaction. */
export type Asker = Pick<Queries, 'query'>;

/**
 * An open READ COMMITTED transaction. BEGIN travels with the first statements. After the first error
 * every further call is refused with that error.
 */
export interface Tx extends Queries {
  /**
   * Sends the statements and COMMIT in one round trip. Resolves only when COMMIT was answered with
   * COMMIT, so that what it returns is durable. The transaction has ended then, whatever happened.
   * @throws {StoreError} `unknown_outcome` when the answer to COMMIT is missing
   */
  commitWith<const List extends readonly Bound<unknown>[]>(bound: List): Promise<RowsOf<List>>;
  /** Undoes everything and ends the transaction. */
  rollback(): Promise<void>;
}

/** A connection of one's own, outside any transaction: migrations and maintenance. */
export interface AdminSession {
  /** Runs plain SQL text of one or more statements, without time limit. @throws {StoreError} */
  script(sql: string): Promise<void>;
  query<Args extends readonly unknown[], Row>(
    asked: Statement<Args, Row>,
    ...args: Args
  ): Promise<Row[]>;
  /** What the server makes of a statement, without running it. */
  describe(sql: string): Promise<StatementShape>;
}

/** Parameters and columns of a statement as the server sees them; types are oids. */
export interface StatementShape {
  readonly parameters: readonly number[];
  readonly columns: readonly { readonly name: string; readonly type: number }[];
}

/** What became of a transaction; see `Db.outcomeOf`. */
export type TransactionOutcome = 'committed' | 'aborted' | 'in_progress';

/**
 * A connection over which the processes that share a database tell each other short things. Nothing is
 * kept: what is said while somebody is away is lost for them.
 */
export interface HintLine {
  /** At most 7,000 bytes; everybody hears it, the sender too. @throws {StoreError} */
  send(text: string): Promise<void>;
  /** Ends it at once, without a call of `onLost`. Idempotent. */
  close(): void;
}

/** Who listens on a line. */
export interface HintListener {
  readonly onHint: (text: string) => void;
  /** The connection is gone; called once. */
  readonly onLost: () => void;
}

/**
 * The database: embedded or a server, same behaviour. Calls may run at the same time. Inside a
 * transaction or snapshot use only what it hands you: the embedded database has one connection, and a
 * call to `Db` from within would wait for the transaction that waits for it.
 */
export interface Db {
  readonly kind: 'pglite' | 'postgres';
  /**
   * One read or one conditional write, committed by itself.
   * @throws {StoreError} for writes also `unknown_outcome`, without xid
   */
  query<Args extends readonly unknown[], Row>(
    asked: Statement<Args, Row>,
    ...args: Args
  ): Promise<Row[]>;
  /** REPEATABLE READ, READ ONLY: all queries see one state. Fails as `retryable` after 5 s. */
  readSnapshot<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in a transaction. Commits at its end if it did not commit itself, rolls back when it
   * throws. Fails as `retryable` when it stays open for more than 10 s.
   * @throws {StoreError}
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Sends BEGIN, the statements and COMMIT in one write and as one READ COMMITTED transaction. It need not
   * be waited for before the next call: calls take effect in the order they are made, each by itself, so
   * that a failed one undoes nothing of the others. Resolves only when COMMIT was answered with COMMIT.
   * @throws {StoreError} `unknown_outcome`, without xid, for every call that was sent and not answered
   */
  writeWhole<const List extends readonly Bound<unknown>[]>(bound: List): Promise<RowsOf<List>>;
  /**
   * What became of the transaction of an `unknown_outcome`. `in_progress`: the server has not yet
   * noticed that its client is gone; ask again.
   */
  outcomeOf(xid: string): Promise<TransactionOutcome>;
  /** Opens a line to the other processes; absent where one process has the database for itself. */
  openHints?(listener: HintListener): Promise<HintLine>;
  /** A connection for migrations and maintenance; on the embedded database nothing else runs meanwhile. */
  exclusive<T>(work: (admin: AdminSession) => Promise<T>): Promise<T>;
  /** Waits for what runs, refuses what waits, closes. Idempotent. */
  close(): Promise<void>;
}
