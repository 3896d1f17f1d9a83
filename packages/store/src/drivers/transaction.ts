import * as z from 'zod';
import type { Tx } from '../db.ts';
import { bind, statement, type Bound, type RowsOf, type Statement } from '../statement.ts';
import { StoreError } from '../store-error.ts';
import { assertCommitted, findFailure, readRows } from './commit-answers.ts';
import { toWireQuery, type Answer, type Session, type WireQuery } from './session.ts';

/** How a transaction begins and how long it may stay open. */
export interface TransactionMode {
  readonly begin: string;
  /** Asks for the transaction's id along with BEGIN, so that a lost COMMIT can be looked up. */
  readonly asksXid: boolean;
  readonly openMsMax: number;
  /**
   * What ends a transaction that is open too long. A server connection is dropped; the embedded
   * database is rolled back, because dropping it means to start it again.
   */
  readonly onTimeout: 'drop' | 'rollback';
  /** Told the id of a transaction whose outcome is unknown, before the session is given back. */
  readonly onUnknown?: (xid: string) => void;
}

/** Dropping is the last resort when even a rollback is not answered. */
const ROLLBACK_ANSWER_MS_MAX = 20_000;

const currentXid = statement({
  name: 'currentXid',
  args: () => [],
  row: z.strictObject({ xid: z.string() }),
  sql: `select pg_current_xact_id()::text as xid`,
});

/**
 * Runs `work` in a transaction of the session: commits at its end unless it did, rolls back when it
 * throws. When it settles, nothing of the transaction is left open on the session.
 */
export async function runTransaction<T>(
  session: Session,
  mode: TransactionMode,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const tx = new OpenTransaction(session, mode);
  const expiry = expireAfter(tx, mode.openMsMax);
  try {
    const result = await Promise.race([work(tx), expiry.expired]);
    await tx.finish();
    return result;
  } catch (error) {
    await tx.rollback();
    throw error;
  } finally {
    expiry.cancel();
  }
}

function expireAfter(
  tx: OpenTransaction,
  openMsMax: number,
): { readonly expired: Promise<never>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const failure = tx.expire(openMsMax);
      if (failure !== undefined) reject(failure);
    }, openMsMax);
  });
  return { expired, cancel: () => clearTimeout(timer) };
}

class OpenTransaction implements Tx {
  readonly #session: Session;
  readonly #mode: TransactionMode;
  #state: 'open' | 'committing' | 'ended' = 'open';
  #begun = false;
  #failure: StoreError | undefined;
  #xid: string | undefined;

  constructor(session: Session, mode: TransactionMode) {
    this.#session = session;
    this.#mode = mode;
  }

  async query<Args extends readonly unknown[], Row>(
    asked: Statement<Args, Row>,
    ...args: Args
  ): Promise<Row[]> {
    const [rows] = await this.pipeline([bind(asked, ...args)]);
    return rows;
  }

  async pipeline<const List extends readonly Bound<unknown>[]>(bound: List): Promise<RowsOf<List>> {
    const answers = await this.#send(bound, this.#prepare(bound));
    return this.#rows(bound, answers);
  }

  async commitWith<const List extends readonly Bound<unknown>[]>(
    bound: List,
  ): Promise<RowsOf<List>> {
    if (!this.#begun && bound.length === 0) {
      this.#assertOpen();
      this.#state = 'ended';
      return [] as unknown as RowsOf<List>;
    }
    const queries = this.#prepare(bound);
    this.#state = 'committing';
    const answers = await this.#send(bound, [...queries, { text: 'commit' }]);
    this.#state = 'ended';
    // An error is answered before the server says whether the transaction is over: ask it to be.
    if (answers.at(-1)?.ok !== true) await this.#rollBack();
    assertCommitted(answers, this.#failure, (message, cause) => this.#unknown(message, cause));
    try {
      return this.#rows(bound, answers);
    } catch (error) {
      throw this.#unknown('committed, but the answer could not be read', error);
    }
  }

  async rollback(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    await this.#rollBack();
  }

  /** The end of `work`: commits what it left open. */
  async finish(): Promise<void> {
    if (this.#state === 'ended') return;
    await this.commitWith([]);
  }

  /** The reason for which the transaction is now given up; undefined when its COMMIT decides. */
  expire(openMsMax: number): StoreError | undefined {
    if (this.#state === 'ended') return undefined;
    const isDropped = this.#mode.onTimeout === 'drop';
    if (this.#state === 'committing') {
      if (isDropped) this.#session.destroy();
      return undefined;
    }
    this.#failure = new StoreError(
      'retryable',
      `a transaction was open for more than ${openMsMax} ms`,
      { cause: this.#failure },
    );
    if (isDropped) this.#session.destroy();
    return this.#failure;
  }

  /** Checks and encodes everything before anything is sent. */
  #prepare(bound: readonly Bound<unknown>[]): WireQuery[] {
    this.#assertOpen();
    const queries = bound.map(toWireQuery);
    if (!this.#session.isUsable) {
      this.#failure = new StoreError('retryable', 'the connection was lost');
      throw this.#failure;
    }
    return queries;
  }

  /** Sends the queries, with BEGIN in front the first time; answers without those of the front. */
  async #send(bound: readonly Bound<unknown>[], queries: readonly WireQuery[]): Promise<Answer[]> {
    const head = this.#begun ? [] : this.#head();
    this.#begun = true;
    const answers = await this.#session.send([...head, ...queries]);
    this.#failure ??= findFailure(bound, head.length, answers);
    this.#noteXid(head.length, answers);
    return answers.slice(head.length);
  }

  #head(): WireQuery[] {
    const begin = { text: this.#mode.begin };
    return this.#mode.asksXid ? [begin, toWireQuery(bind(currentXid))] : [begin];
  }

  #noteXid(headLength: number, answers: Answer[]): void {
    const answer = headLength === 2 ? answers[1] : undefined;
    if (answer?.ok !== true) return;
    this.#xid = (answer.rows[0] as { xid: string } | undefined)?.xid;
  }

  #rows<List extends readonly Bound<unknown>[]>(bound: List, answers: Answer[]): RowsOf<List> {
    if (this.#failure !== undefined) throw this.#failure;
    return readRows(bound, answers, this.#session.checkRows);
  }

  #unknown(message: string, cause: unknown): StoreError {
    if (this.#xid !== undefined) this.#mode.onUnknown?.(this.#xid);
    return new StoreError('unknown_outcome', message, { cause, xid: this.#xid });
  }

  #assertOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state !== 'open') throw new Error('the transaction has ended');
  }

  async #rollBack(): Promise<void> {
    if (this.#begun) await rollBack(this.#session);
  }
}

/** Leaves no transaction open on the session, or gives the session up. */
export async function rollBack(session: Session): Promise<void> {
  if (!session.isUsable) return;
  const timer = setTimeout(() => session.destroy(), ROLLBACK_ANSWER_MS_MAX);
  const [answer] = await session.send([{ text: 'rollback' }]);
  clearTimeout(timer);
  if (answer?.ok !== true) session.destroy();
}
