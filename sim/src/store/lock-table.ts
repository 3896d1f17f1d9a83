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
  /** One, unless they share it. */
  holders: LockHolder[];
  isShared: boolean;
  readonly waiting: Waiter[];
}

/** Row locks as PostgreSQL keeps them: held to the end of the transaction, given in order of asking; some may be shared. */
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
    if (lock === undefined) {
      this.#locks.set(key, { holders: [holder], isShared: false, waiting: [] });
      this.#note(holder, key);
      return true;
    }
    if (lock.holders.some((it) => it !== holder)) return false;
    lock.isShared = false;
    return true;
  }

  /** Takes a lock together with others, if nobody has it alone or waits to. */
  tryShare(holder: LockHolder, key: string): boolean {
    if (this.ignores(key)) return true;
    const lock = this.#locks.get(key);
    if (lock === undefined) {
      this.#locks.set(key, { holders: [holder], isShared: true, waiting: [] });
      this.#note(holder, key);
      return true;
    }
    if (lock.holders.includes(holder)) return true;
    if (!lock.isShared || lock.waiting.length > 0) return false;
    lock.holders.push(holder);
    this.#note(holder, key);
    return true;
  }

  /** Whether somebody else has it. */
  isTaken(holder: LockHolder, key: string): boolean {
    return this.#locks.get(key)?.holders.some((it) => it !== holder) === true;
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
      if (lock === undefined) continue;
      lock.holders = lock.holders.filter((it) => it !== holder);
      if (lock.holders.length > 0 && !this.#isOnlyWaiter(lock)) continue;
      const next = lock.waiting.shift();
      if (next === undefined) {
        this.#locks.delete(key);
        continue;
      }
      lock.holders = [next.holder];
      lock.isShared = false;
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

  /** Whether all that is left of the holders is who waits to have it alone. */
  #isOnlyWaiter({ holders, waiting }: Lock): boolean {
    return holders.every((it) => it === waiting[0]?.holder);
  }

  /** Whether waiting for `key` means to wait for oneself. */
  #endsAt(holder: LockHolder, key: string, depth = 0): boolean {
    const owners = this.#locks.get(key)?.holders ?? [];
    return owners.some((owner) => {
      if (owner === holder) return depth > 0;
      const next = this.#waitsFor.get(owner);
      return next !== undefined && depth < 100 && this.#endsAt(holder, next, depth + 1);
    });
  }
}
