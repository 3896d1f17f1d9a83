import type { Rng } from './rng.ts';

interface Entry {
  readonly atMs: number;
  /** Decides between entries of one instant: chance, then age. */
  readonly tie: number;
  readonly age: number;
  call: (() => void) | undefined;
}

/**
 * Time of the simulation: a queue of what is to happen, taken in order of virtual time. Entries of one
 * instant come in an order that the seed decides. Nothing waits for real time.
 */
export class EventLoop {
  nowMs: number;
  /** Entries taken so far. */
  steps = 0;
  readonly #rng: Rng;
  readonly #heap: Entry[] = [];
  #age = 0;
  /** Things of the real world that are under way; virtual time waits for them. */
  #busy = 0;
  #whenIdle: (() => void) | undefined;

  constructor(startMs: number, rng: Rng) {
    this.nowMs = startMs;
    this.#rng = rng;
  }

  /** Calls after a delay of virtual time. Answers what calls it off. */
  after(delayMs: number, call: () => void): () => void {
    const atMs = this.nowMs + Math.max(0, delayMs);
    const entry: Entry = { atMs, tie: this.#rng.next(), age: this.#age++, call };
    this.#push(entry);
    return () => {
      entry.call = undefined;
    };
  }

  /** Does something that takes real time, and no virtual time. */
  async io<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      if (this.#busy === 0) this.#whenIdle?.();
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /**
   * Takes entries until `isOver` says so, `untilMs` has come or nothing is left. Promises that one entry
   * settles are followed to their end before the next entry.
   */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    while (!isOver()) {
      const entry = this.#heap[0];
      if (entry === undefined || entry.atMs > untilMs) {
        if (untilMs !== Number.POSITIVE_INFINITY) this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.#pop();
      if (entry.call === undefined) continue;
      this.nowMs = Math.max(this.nowMs, entry.atMs);
      this.steps += 1;
      entry.call();
      await this.#settled();
    }
  }

  /** Resolves when nothing goes on without another entry. */
  async #settled(): Promise<void> {
    await drained();
    while (this.#busy > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
      this.#whenIdle = undefined;
      await drained();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, left)) child += 1;
      const least = heap[child];
      if (least === undefined || !isBefore(least, last)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.tie !== b.tie ? a.tie < b.tie : a.age < b.age;
}

/** Resolves when every promise that can settle without an entry has settled. */
function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
