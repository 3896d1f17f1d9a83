// One connection of `pg`'s client in pipeline mode: the same protocol, prepared statements and type
// parsing for a PostgreSQL server and for the embedded database.
//
// Each query of a pipeline ends with its own Sync. Inside an explicit transaction an error therefore
// makes the queries behind it fail (25P02) and turns COMMIT into ROLLBACK, so nothing can be committed
// behind a failed statement.
import pg from 'pg';
import type { AdminSession, StatementShape } from '../db.ts';
import { encodeValues, type WireValue } from '../parameters.ts';
import {
  endsConnection,
  isServerError,
  spoilsPreparedStatements,
  StoreError,
  toStoreError,
} from '../store-error.ts';
import { bind, type Bound } from '../statement.ts';
import { DescribeQuery } from './describe-query.ts';
import { checkedRows } from './row-check.ts';
import { isPrepared, PrepareQuery, TrainQuery, type NamedQuery } from './train-query.ts';
import { typeParsers } from './type-parsers.ts';

/** What is sent: text alone runs by the simple protocol, with a name as a prepared statement. */
export interface WireQuery {
  readonly text: string;
  readonly name?: string;
  readonly values?: WireValue[];
}

/** The answer to one query: its rows and command tag (`SELECT`, `COMMIT`, `ROLLBACK`), or its error. */
export type Answer =
  | { readonly ok: true; readonly command: string; readonly rows: readonly unknown[] }
  | { readonly ok: false; readonly error: unknown };

/** How to reach a database, and what each of its connections begins with. */
export interface SessionOptions {
  readonly client: pg.ClientConfig;
  /** Plain SQL run once on every new connection. */
  readonly setup: string;
  /** Compares every row with the shape that its statement declares. For tests. */
  readonly checkRows: boolean;
  /** How to end the session politely, where that is not the protocol's Terminate. */
  readonly end?: (session: Session) => Promise<void>;
}

/** Dates and times come out in one form, whatever the server's defaults are. */
export const SESSION_SETUP = `set datestyle = 'ISO, MDY'; set timezone = 'UTC'; set bytea_output = 'hex'`;

/**
 * Batches name their rows by key, so the right plan is the index, whatever the statistics say: tables
 * that were empty when a statement was prepared would be read whole for ever after.
 */
export const BATCH_PLANS = [
  'plan_cache_mode = force_generic_plan',
  'enable_seqscan = off',
  'enable_hashjoin = off',
  'enable_mergejoin = off',
  'jit = off',
] as const;

/** One open connection. Used by one unit of work at a time; see `SessionPool`. */
export class Session implements AdminSession {
  readonly checkRows: boolean;
  readonly #client: pg.Client;
  #lost: Error | undefined;
  #onLost: (() => void) | undefined;
  /** Called with what is said on a channel that this session listens on. */
  onHint: ((text: string) => void) | undefined;
  readonly #end: (session: Session) => Promise<void>;

  private constructor(client: pg.Client, options: SessionOptions) {
    this.#client = client;
    this.checkRows = options.checkRows;
    this.#end = options.end ?? (() => client.end());
    client.on('error', (error) => this.#lose(error));
    client.on('notification', ({ payload }) => this.onHint?.(payload ?? ''));
    client.on('end', () => this.#lose(new Error('the connection was closed')));
  }

  /** Connects and prepares the session. @throws what the driver or the server says */
  static async open(options: SessionOptions): Promise<Session> {
    const client = new pg.Client({ ...options.client, types: typeParsers, pipeline: true });
    const session = new Session(client, options);
    await client.connect();
    try {
      await session.script(options.setup);
    } catch (error) {
      session.destroy();
      throw error;
    }
    return session;
  }

  /** False after the connection was lost or spoiled: the session must be thrown away. */
  get isUsable(): boolean {
    return this.#lost === undefined;
  }

  /** True when no transaction is open, as the server last said. */
  get isIdle(): boolean {
    return this.#client.getTransactionStatus() === 'I';
  }

  /** Called once, when the connection is lost; at once when it already is. */
  set onLost(listener: () => void) {
    if (this.#lost === undefined) this.#onLost = listener;
    else listener();
  }

  /** Sends all queries in one write and resolves with their answers, in order; never rejects. */
  send(queries: readonly WireQuery[]): Promise<Answer[]> {
    const { stream } = this.#client.connection;
    stream.cork();
    try {
      return Promise.all(queries.map((query) => this.#answerTo(query)));
    } finally {
      stream.uncork();
    }
  }

  /**
   * Sends a whole transaction in one write: answers of `begin`, of each query, and of COMMIT; never
   * rejects. The queries share one Sync, so whatever fails, all or nothing of them is done.
   */
  sendWhole(begin: WireQuery, queries: readonly NamedQuery[]): Promise<Answer[]> {
    const { connection } = this.#client;
    connection.stream.cork();
    try {
      const beginning: Promise<Answer>[] = [];
      for (const query of queries) {
        if (!isPrepared(connection, query)) beginning.push(this.#prepare(query));
      }
      beginning.push(this.#answerTo(begin));
      return joined(
        Promise.all(beginning),
        this.#answersTo(queries),
        this.#answerTo({ text: 'commit' }),
      );
    } finally {
      connection.stream.uncork();
    }
  }

  /** Runs one bound statement by itself. */
  async run<Row>(bound: Bound<Row>): Promise<Row[]> {
    const query = toWireQuery(bound);
    if (this.#lost !== undefined) {
      throw new StoreError('retryable', 'the connection was lost', { cause: this.#lost });
    }
    const [answer] = await this.send([query]);
    if (answer === undefined) throw new Error('a query was not answered');
    if (!answer.ok) throw autocommitError(bound, answer.error);
    return rowsOf(bound, answer.rows, this.checkRows);
  }

  query: AdminSession['query'] = (asked, ...args) => this.run(bind(asked, ...args));

  async script(sql: string): Promise<void> {
    const [answer] = await this.send([{ text: sql }]);
    if (answer?.ok === false) throw toStoreError(answer.error);
  }

  describe(sql: string): Promise<StatementShape> {
    return new Promise((resolve, reject) => {
      this.#client.query(
        new DescribeQuery(sql, (error, shape) => {
          if (shape === undefined) reject(toStoreError(error));
          else resolve(shape);
        }),
      );
    });
  }

  /** Ends the connection politely. */
  async end(): Promise<void> {
    this.#onLost = undefined;
    await this.#end(this);
  }

  /** Ends the connection at once: what was sent and not answered fails. */
  destroy(): void {
    this.#lose(new Error('the connection was given up'));
    this.#client.connection.stream.destroy();
  }

  #answerTo(query: WireQuery): Promise<Answer> {
    return new Promise((resolve) => {
      this.#client.query(query, (error: Error | null, result) =>
        resolve(this.#toAnswer(error, result)),
      );
    });
  }

  #prepare(query: NamedQuery): Promise<Answer> {
    return new Promise((resolve) => {
      this.#client.query(
        new PrepareQuery(query, (error, result) => resolve(this.#toAnswer(error, result))),
      );
    });
  }

  #answersTo(queries: readonly NamedQuery[]): Promise<Answer[]> {
    if (queries.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const answers: Answer[] = [];
      const train = new TrainQuery(queries, (error, result) => {
        answers.push(this.#toAnswer(error, result));
        if (answers.length === queries.length) resolve(answers);
      });
      this.#client.query(train);
    });
  }

  #toAnswer(error: Error | null, result: unknown): Answer {
    if (error === null) return { ok: true, ...lastResult(result) };
    if (spoilsPreparedStatements(error)) this.#lose(error);
    return { ok: false, error: this.#reasonFor(error) };
  }

  /** An error that neither the server nor a lost connection made: a value of the answer was unreadable. */
  #reasonFor(error: Error): Error {
    if (isServerError(error) || this.#lost !== undefined) return error;
    return new StoreError('data', error.message, { cause: error });
  }

  #lose(error: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    const listener = this.#onLost;
    this.#onLost = undefined;
    listener?.();
  }
}

/** What was not prepared failed before BEGIN. */
async function joined(
  beginning: Promise<Answer[]>,
  middle: Promise<Answer[]>,
  commit: Promise<Answer>,
): Promise<Answer[]> {
  const heads = await beginning;
  const head = heads.find(({ ok }) => !ok) ?? heads.at(-1);
  const answers = [...(await middle), await commit];
  return head === undefined ? answers : [head, ...answers];
}

/** @throws {StoreError} `data` when a value cannot be sent; nothing has been sent then */
export function toWireQuery({ statement, values }: Bound<unknown>): NamedQuery {
  try {
    return { name: statement.wireName, text: statement.sql, values: encodeValues(values) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError('data', `${statement.name}: ${reason}`, {
      cause: error,
      statement: statement.name,
    });
  }
}

/** The answer's rows with the statement's type. @throws when they are checked and do not fit */
export function rowsOf<Row>(
  { statement }: Bound<Row>,
  rows: readonly unknown[],
  checkRows: boolean,
): Row[] {
  return checkRows ? checkedRows(statement, rows) : (rows as Row[]);
}

/** A write that commits by itself may have been committed although its answer is missing. */
function autocommitError({ statement }: Bound<unknown>, error: unknown): StoreError {
  if (statement.isRead || !endsConnection(error)) return toStoreError(error, statement.name);
  return new StoreError('unknown_outcome', `${statement.name}: the answer is missing`, {
    cause: error,
    statement: statement.name,
  });
}

/** A script of several statements is answered with a list of results. */
function lastResult(result: unknown): { command: string; rows: readonly unknown[] } {
  const last = (Array.isArray(result) ? result.at(-1) : result) as {
    command: string | null;
    rows: readonly unknown[];
  };
  return { command: last.command ?? '', rows: last.rows };
}
