import { StoreError } from '@baton/store';

/** Whoever holds locks: a transaction. */
export interface LockHolder {
  readonly name: string;
}

interface Waiter {
  readonly holder: LockHolder;
  readonly resolve: () => void;
  readonly reject: (error: StoreError) => void;
}

interface Lock {
  holder: LockHolder;
  readonly waiting: Waiter[];
}

/** Row locks as PostgreSQL keeps them: held to the end of the transaction, given in order of asking. */
export class LockTable {
  readonly #locks = new Map<string, Lock>();
  readonly #held = new Map<LockHolder, Set<string>>();
  readonly #waitsFor = new Map<LockHolder, string>();
  /** Times that somebody had to wait, and that a circle of waiting was broken. */
  waits = 0;
  /** A spoilt table: locks that everybody gets at once. */
  ignores: (key: string) => boolean = () => false;
  deadlocks = 0;

  /** Takes a lock, waiting for whoever has it. Rejects at once when the waiting would never end. */
  acquire(holder: LockHolder, key: string): Promise<void> {
    if (this.tryAcquire(holder, key)) return Promise.resolve();
    this.waits += 1;
    if (this.#endsAt(holder, key)) {
      this.deadlocks += 1;
      return Promise.reject(
        new StoreError('retryable', 'deadlock detected', { sqlState: '40P01' }),
      );
    }
    this.#waitsFor.set(holder, key);
    return new Promise((resolve, reject) => {
      this.#locks.get(key)?.waiting.push({ holder, resolve, reject });
    });
  }

  /** Takes a lock if nobody else has it. */
  tryAcquire(holder: LockHolder, key: string): boolean {
    if (this.ignores(key)) return true;
    const lock = this.#locks.get(key);
    if (lock !== undefined) return lock.holder === holder;
    this.#locks.set(key, { holder, waiting: [] });
    this.#note(holder, key);
    return true;
  }

  holds(holder: LockHolder, key: string): boolean {
    return this.#locks.get(key)?.holder === holder;
  }

  /** Stops the waiting of a transaction, if it waits. */
  giveUp(holder: LockHolder, error: StoreError): void {
    const key = this.#waitsFor.get(holder);
    if (key === undefined) return;
    this.#waitsFor.delete(holder);
    const waiting = this.#locks.get(key)?.waiting ?? [];
    const at = waiting.findIndex((it) => it.holder === holder);
    const [waiter] = at < 0 ? [] : waiting.splice(at, 1);
    waiter?.reject(error);
  }

  /** The end of a transaction: all it held goes to those who waited. */
  releaseAll(holder: LockHolder): void {
    this.giveUp(holder, new StoreError('retryable', 'the transaction has ended'));
    for (const key of this.#held.get(holder) ?? []) {
      const lock = this.#locks.get(key);
      const next = lock?.waiting.shift();
      if (lock === undefined || next === undefined) {
        this.#locks.delete(key);
        continue;
      }
      lock.holder = next.holder;
      this.#waitsFor.delete(next.holder);
      this.#note(next.holder, key);
      next.resolve();
    }
    this.#held.delete(holder);
  }

  #note(holder: LockHolder, key: string): void {
    const keys = this.#held.get(holder);
    if (keys === undefined) this.#held.set(holder, new Set([key]));
    else keys.add(key);
  }

  /** Whether waiting for `key` means to wait for oneself. */
  #endsAt(holder: LockHolder, key: string): boolean {
    let at: string | undefined = key;
    for (let depth = 0; at !== undefined && depth < 100; depth++) {
      const owner: LockHolder | undefined = this.#locks.get(at)?.holder;
      if (owner === undefined) return false;
      if (owner === holder) return true;
      at = this.#waitsFor.get(owner);
    }
    return false;
  }
}
