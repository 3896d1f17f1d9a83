// A fixed number of connections, opened when needed, each used by one unit of work at a time (a whole
// transaction, snapshot or statement). Units wait in order of arrival. With one connection this is the
// queue of the embedded database: nothing ever runs between a BEGIN and its COMMIT.
import { StoreError } from '../store-error.ts';
import type { Session } from './session.ts';

interface Waiter {
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

  /** Refuses new and waiting units, waits for the running ones, ends the connections. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#rejectWaiting(new StoreError('unavailable', 'the database is closed'));
    if (this.#inUse + this.#opening > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    await Promise.all(this.#idle.splice(0).map((session) => session.end()));
  }

  #acquire(): Promise<Session> {
    if (this.#closed !== undefined) {
      return Promise.reject(new StoreError('unavailable', 'the database is closed'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
    });
  }

  /** Hands idle connections to waiting units and opens more where that helps. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const session = this.#idle.pop();
      if (session === undefined) break;
      this.#inUse += 1;
      this.#waiting.shift()?.resolve(session);
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
    if (session.isUsable && !session.isIdle) session.destroy();
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
