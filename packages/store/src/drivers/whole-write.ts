import type { Bound, RowsOf } from '../statement.ts';
import { StoreError } from '../store-error.ts';
import { assertCommitted, findFailure, readRows } from './commit-answers.ts';
import { toWireQuery, type Session } from './session.ts';
import type { NamedQuery } from './train-query.ts';
import type { SessionPool } from './session-pool.ts';
import { rollBack, type TransactionMode } from './transaction.ts';

/** How the transactions begin, and what ends a connection that does not answer. */
export type WholeWriteMode = Pick<TransactionMode, 'begin' | 'openMsMax' | 'onTimeout'>;

/** See `Db.writeWhole`. */
export type WriteWhole = <const List extends readonly Bound<unknown>[]>(
  bound: List,
) => Promise<RowsOf<List>>;

/** Writes over connections of the pool; those under way share one, so that their order is the server's. */
export function createWholeWriter(pool: SessionPool, mode: WholeWriteMode): WriteWhole {
  const watches = new WeakMap<Session, Watch>();
  const watchOf = (session: Session): Watch => {
    const watch = watches.get(session) ?? new Watch(session, mode.openMsMax);
    watches.set(session, watch);
    return watch;
  };
  return async (bound) => {
    // All is encoded before anything is sent, and before the turn comes.
    const queries = bound.map(toWireQuery);
    return pool.share((session) =>
      mode.onTimeout === 'drop'
        ? watchOf(session).during(() => writeOne(session, mode.begin, bound, queries))
        : writeOne(session, mode.begin, bound, queries),
    );
  };
}

/** Sends before it returns, so that calls are sent in the order they are made. */
async function writeOne<List extends readonly Bound<unknown>[]>(
  session: Session,
  begin: string,
  bound: List,
  queries: readonly NamedQuery[],
): Promise<RowsOf<List>> {
  if (!session.isUsable) throw new StoreError('retryable', 'the connection was lost');
  const answers = await session.sendWhole({ text: begin }, queries);
  // An error is answered before the server says whether the transaction is over: ask it to be. What was
  // sent behind it meanwhile is a transaction of its own, and over before this arrives.
  if (answers.at(-1)?.ok !== true) await rollBack(session);
  const failure = findFailure(bound, 1, answers);
  assertCommitted(answers, failure, unknown);
  try {
    if (failure !== undefined) throw failure;
    return readRows(bound, answers.slice(1), session.checkRows);
  } catch (error) {
    throw unknown('committed, but the answer could not be read', error);
  }
}

function unknown(message: string, cause: unknown): StoreError {
  return new StoreError('unknown_outcome', message, { cause });
}

/** Gives a connection up when nothing of what is under way on it ends for too long. */
class Watch {
  readonly #session: Session;
  readonly #quietMsMax: number;
  #timer: NodeJS.Timeout | undefined;
  #underWay = 0;

  constructor(session: Session, quietMsMax: number) {
    this.#session = session;
    this.#quietMsMax = quietMsMax;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    this.#timer ??= setTimeout(() => this.#session.destroy(), this.#quietMsMax);
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      if (this.#underWay > 0) {
        this.#timer.refresh();
      } else {
        clearTimeout(this.#timer);
        this.#timer = undefined;
      }
    }
  }
}
