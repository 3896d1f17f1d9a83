// A fixed number of connections, opened when needed, each used by one unit of work at a time (a whole
// transaction, snapshot or statement), or by several that send whole transactions. Units wait in order of
// arrival. With one connection this is the queue of the embedded database: nothing of another unit ever
// runs between a BEGIN and its COMMIT.
import { StoreError } from '../store-error.ts';
import type { Session } from './session.ts';

interface Waiter {
  /** It may have the session that other units like it use just now. */
  readonly isShared: boolean;
  readonly resolve: (session: Session) => void;
  readonly reject: (error: StoreError) => void;
}

const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5_000;

/** See the header. Owns its sessions; `close` ends them. */
export class SessionPool {
  readonly #size: number;
  readonly #open: () => Promise<Session>;
  readonly #idle: Session[] = [];
  readonly #waiting: Waiter[] = [];
  /** The connection of the units of `share` that are under way; one in use. */
  #shared: { readonly session: Session; units: number } | undefined;
  #inUse = 0;
  #opening = 0;
  #failures = 0;
  #lastFailure: unknown;
  #retryAtMs = 0;
  #closed: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;

  constructor(options: { readonly size: number; readonly open: () => Promise<Session> }) {
    this.#size = options.size;
    this.#open = options.open;
  }

  /**
   * Runs one unit of work on a connection of its own. A connection that is lost, or that comes back with
   * a transaction open, is thrown away.
   * @throws {StoreError} `unavailable` when no connection can be had
   */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#acquire();
    try {
      return await work(session);
    } finally {
      this.#release(session);
    }
  }

  /**
   * Runs one unit of work on a connection that it shares with other such units: with those under way, so
   * that what they send arrives in the order in which they were given. Units of `use` that already wait
   * come first: they have their turn when those under way are done. `work` is called as soon as there is
   * a connection, in order, and leaves no transaction open.
   * @throws {StoreError} `unavailable` when no connection can be had
   */
  share<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      const run = (session: Session): void => {
        work(session)
          .finally(() => this.#leave(session))
          .then(resolve, reject);
      };
      this.#waiting.push({ isShared: true, resolve: run, reject });
      this.#serve();
    });
  }

  /** Refuses new and waiting units, waits for the running ones, ends the connections. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#rejectWaiting(closedError());
    if (this.#inUse + this.#opening > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    await Promise.all(this.#idle.splice(0).map((session) => session.end()));
  }

  #acquire(): Promise<Session> {
    if (this.#closed !== undefined) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ isShared: false, resolve, reject });
      this.#serve();
    });
  }

  /** Hands idle connections to waiting units and opens more where that helps. */
  #serve(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const session = this.#take(first.isShared);
      if (session === undefined) break;
      this.#waiting.shift();
      first.resolve(session);
    }
    const total = (): number => this.#inUse + this.#idle.length + this.#opening;
    while (this.#waiting.length > this.#opening && total() < this.#size) {
      if (Date.now() < this.#retryAtMs) {
        if (total() === 0) this.#rejectWaiting(this.#unreachable());
        return;
      }
      void this.#openOne();
    }
  }

  #take(isShared: boolean): Session | undefined {
    if (isShared && this.#shared !== undefined) {
      this.#shared.units += 1;
      return this.#shared.session;
    }
    const session = this.#idle.pop();
    if (session === undefined) return undefined;
    this.#inUse += 1;
    if (isShared) this.#shared = { session, units: 1 };
    return session;
  }

  #leave(session: Session): void {
    if (this.#shared === undefined || --this.#shared.units > 0) return;
    this.#shared = undefined;
    this.#release(session);
  }

  async #openOne(): Promise<void> {
    this.#opening += 1;
    try {
      const session = await this.#open();
      this.#opening -= 1;
      this.#failures = 0;
      this.#retryAtMs = 0;
      this.#park(session);
    } catch (error) {
      this.#opening -= 1;
      this.#lastFailure = error;
      this.#retryAtMs = Date.now() + Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** this.#failures);
      this.#failures += 1;
      if (this.#inUse + this.#idle.length + this.#opening === 0) {
        this.#rejectWaiting(this.#unreachable());
      }
    }
    this.#settle();
  }

  #release(session: Session): void {
    this.#inUse -= 1;
    // A spoiled one may still be connected.
    if (!session.isUsable || !session.isIdle) session.destroy();
    if (session.isUsable) this.#park(session);
    this.#settle();
  }

  #park(session: Session): void {
    this.#idle.push(session);
    session.onLost = () => {
      const at = this.#idle.indexOf(session);
      if (at >= 0) this.#idle.splice(at, 1);
    };
  }

  #settle(): void {
    if (this.#closed === undefined) this.#serve();
    else if (this.#inUse + this.#opening === 0) this.#onQuiet?.();
  }

  #rejectWaiting(error: StoreError): void {
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
  }

  #unreachable(): StoreError {
    const reason =
      this.#lastFailure instanceof Error ? this.#lastFailure.message : String(this.#lastFailure);
    return new StoreError('unavailable', `the database cannot be reached: ${reason}`, {
      cause: this.#lastFailure,
    });
  }
}

function closedError(): StoreError {
  return new StoreError('unavailable', 'the database is closed');
}
