/**
 * What a failure of the database means for the caller:
 * - `retryable`: nothing was committed; the same work may run again at once.
 * - `data`: this statement with these values is refused and will be again; nothing was committed.
 * - `unknown_outcome`: the connection was lost, or the answer was unreadable, after COMMIT was sent.
 *   Ask `outcomeOf(xid)`.
 * - `unavailable`: the database cannot be reached or cannot work now; nothing was committed.
 */
export type StoreFailure = 'retryable' | 'data' | 'unknown_outcome' | 'unavailable';

/** Every failure that a `Db` throws, bugs of the caller apart. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreFailure;
  /** SQLSTATE, when the server answered. */
  readonly sqlState: string | undefined;
  /** Name of the statement that failed, when it was one. */
  readonly statement: string | undefined;
  /** The constraint that refused the data, when it was one. */
  readonly constraint: string | undefined;
  /** With `unknown_outcome`: the transaction to ask `outcomeOf` about; undefined when none was given. */
  readonly xid: string | undefined;

  constructor(
    kind: StoreFailure,
    message: string,
    facts: {
      readonly cause?: unknown;
      readonly sqlState?: string | undefined;
      readonly statement?: string | undefined;
      readonly constraint?: string | undefined;
      readonly xid?: string | undefined;
    } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.kind = kind;
    this.sqlState = facts.sqlState;
    this.statement = facts.statement;
    this.constraint = facts.constraint;
    this.xid = facts.xid;
  }
}

interface ServerError extends Error {
  readonly code: string;
  readonly severity: string;
  readonly constraint?: string;
}

/** True when the server answered with an error, false when the connection or the driver failed. */
export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error;
}

/** True when the error says that the connection is gone or going, so an answer to COMMIT may be missing. */
export function endsConnection(error: unknown): boolean {
  if (!isServerError(error)) return true;
  return (
    error.severity === 'FATAL' || error.severity === 'PANIC' || CONNECTION_STATES.test(error.code)
  );
}

/** True for answers after which prepared statements of the connection cannot be trusted. */
export function spoilsPreparedStatements(error: unknown): boolean {
  if (!isServerError(error)) return false;
  return (
    error.code === '26000' ||
    (error.code === '0A000' && error.message.includes('cached plan must not change result type'))
  );
}

/** Reads an error of the driver during or before a statement (never of COMMIT itself). */
export function toStoreError(error: unknown, statementName?: string): StoreError {
  if (error instanceof StoreError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = statementName === undefined ? reason : `${statementName}: ${reason}`;
  if (!isServerError(error)) {
    return new StoreError('retryable', message, { cause: error, statement: statementName });
  }
  return new StoreError(failureOf(error), message, {
    cause: error,
    sqlState: error.code,
    statement: statementName,
    constraint: error.constraint,
  });
}

/** SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const CONNECTION_STATES = /^(08|57P0|25P03)/;
/** deadlock, serialization, lock timeout, cancelled (statement timeout). */
const RETRYABLE_STATES = new Set(['40P01', '40001', '55P03', '57014']);
/** resources (disk full, too many connections), I/O, and a server that became a read-only standby. */
const UNAVAILABLE_STATES = /^(53|58|25006)/;

function failureOf(error: ServerError): StoreFailure {
  if (RETRYABLE_STATES.has(error.code) || CONNECTION_STATES.test(error.code)) return 'retryable';
  if (spoilsPreparedStatements(error)) return 'retryable';
  return UNAVAILABLE_STATES.test(error.code) ? 'unavailable' : 'data';
}

const DISK_FULL_STATE = '53100';
const CAUSES_MAX = 8;

/** True when what failed failed for want of space on a disk: the database's, or that of a file. */
export function isStorageFull(error: unknown): boolean {
  let at = error;
  for (let depth = 0; at instanceof Error && depth < CAUSES_MAX; depth++) {
    if (at instanceof StoreError && at.sqlState === DISK_FULL_STATE) return true;
    const { code } = at as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === DISK_FULL_STATE) return true;
    // What the embedded database says when it stops over it.
    if (/no space left on device/i.test(at.message)) return true;
    at = at.cause;
  }
  return false;
}
