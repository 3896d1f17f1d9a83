import type { EventRead } from '@baton/store';
import type { CommittedEvent } from '../coordinator.ts';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime.ts';

/** Events of one read. */
const sliceMax = 500;
/** Own events that wait for what stands before them; beyond it they are read from the feed again. */
const ownWaitingMax = 20_000;
const retryMs = 250;

/**
 * Tells every event of the feed once, in the order of the feed: what this replica commits from memory,
 * what others commit from the database. Alone on a database it reads nothing.
 */
export interface FeedFollower {
  /** Everything up to here is over and done with. */
  begin(pos: number): void;
  /** This replica committed these, which stand one behind the other. */
  committed(events: readonly CommittedEvent[]): void;
  /** Calls when all up to a position was told: at once when it was. */
  whenTold(pos: number, call: () => void): void;
  /** The feed goes at least as far as this. Resolves when all of it was told, or could not be read. */
  reaches(pos: number): Promise<void>;
  /** All before this position was told. */
  readonly pos: number;
  /** Tells nothing more; resolves when nothing is being read. */
  stop(): Promise<void>;
}

interface FollowerPorts {
  /** Events behind a position and before another one (undefined: all), oldest first. */
  readonly readFeed: (
    pos: number,
    before: number | undefined,
    limit: number,
  ) => Promise<readonly EventRead[]>;
  readonly runtime: Pick<Runtime, 'sleep'>;
  readonly log: Log;
  readonly incarnation: () => number;
  /** Must not throw. */
  readonly tell: (events: readonly CommittedEvent[]) => void;
}

/** Begins at the end of an empty feed. */
export function createFeedFollower(ports: FollowerPorts): FeedFollower {
  return new Follower(ports);
}

class Follower implements FeedFollower {
  readonly #ports: FollowerPorts;
  /** All up to here was told. */
  #told = 0;
  /** The feed goes at least as far as this. */
  #end = 0;
  /** Own batches behind something that was not read yet. */
  #own: (readonly CommittedEvent[])[] = [];
  #ownWaiting = 0;
  /** Who waits until all up to a position was told; positions rise. */
  #waiting: { readonly pos: number; readonly call: () => void }[] = [];
  #reading: Promise<void> | undefined;
  #isStopped = false;

  constructor(ports: FollowerPorts) {
    this.#ports = ports;
  }

  get pos(): number {
    return this.#told;
  }

  begin(pos: number): void {
    this.#told = pos;
    this.#end = pos;
    this.#own = [];
    this.#ownWaiting = 0;
    for (const { call } of this.#waiting.splice(0)) call();
  }

  whenTold(pos: number, call: () => void): void {
    if (pos <= this.#told) call();
    else this.#waiting.push({ pos, call });
  }

  committed(events: readonly CommittedEvent[]): void {
    const first = events[0]?.pos ?? 0;
    if (this.#own.length === 0 && first === this.#told + 1) {
      this.#tell(events);
      return;
    }
    this.#own.push(events);
    this.#ownWaiting += events.length;
    if (this.#ownWaiting > ownWaitingMax) this.#letGoOfOwn();
    void this.#read();
  }

  reaches(pos: number): Promise<void> {
    this.#end = Math.max(this.#end, pos);
    return this.#read();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reading;
  }

  #tell(events: readonly CommittedEvent[]): void {
    // What was told already: a commit whose answer was late may have been read from the feed meanwhile.
    const fresh = (events[0]?.pos ?? 0) > this.#told ? events : events.filter(this.#isFresh);
    const last = fresh.at(-1)?.pos;
    if (last === undefined) return;
    this.#told = last;
    this.#ports.tell(fresh);
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    while ((this.#waiting[0]?.pos ?? Infinity) <= this.#told) this.#waiting.shift()?.call();
  }

  readonly #isFresh = ({ pos }: { readonly pos: number }): boolean => pos > this.#told;

  /** They are in the database: memory stays bounded while that cannot be read. */
  #letGoOfOwn(): void {
    this.#end = Math.max(this.#end, this.#own.at(-1)?.at(-1)?.pos ?? 0);
    this.#own = [];
    this.#ownWaiting = 0;
  }

  get #isBehind(): boolean {
    return !this.#isStopped && (this.#own.length > 0 || this.#told < this.#end);
  }

  #read(): Promise<void> {
    if (!this.#isBehind) return Promise.resolve();
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#isBehind) {
      const before = this.#own[0]?.[0]?.pos;
      // Known before the read, so that a complete answer has all up to there that is still kept.
      const end = before === undefined ? this.#end : before - 1;
      let read: readonly EventRead[] = [];
      if (end > this.#told) {
        try {
          read = await this.#ports.readFeed(this.#told, before, sliceMax);
        } catch (error) {
          this.#ports.log.debug({ error }, 'the feed could not be read; it is tried again');
          await this.#ports.runtime.sleep(retryMs);
          continue;
        }
        if (this.#isStopped) return;
      }
      this.#tellInOrder(read);
      if (read.length < sliceMax) this.#allRead(before, end);
    }
  }

  /** Nothing more stands behind what was told, and before an own batch if there was one. */
  #allRead(before: number | undefined, end: number): void {
    if (before === undefined) {
      // Somebody who said that it goes further may be wrong: what was read counts.
      if (this.#end === end) this.#end = this.#told;
      return;
    }
    // Parts of the history that were dropped leave a hole.
    this.#told = Math.max(this.#told, end);
    this.#wakeWaiting();
    this.#tellInOrder([]);
  }

  /** What was read, with own batches in their places. */
  #tellInOrder(read: readonly EventRead[]): void {
    const rest = [...read];
    for (;;) {
      const mine = this.#own[0];
      const from = mine?.[0]?.pos ?? Number.POSITIVE_INFINITY;
      if (mine !== undefined && from <= this.#told + 1) {
        this.#own.shift();
        this.#ownWaiting -= mine.length;
        this.#tell(mine);
        continue;
      }
      const count = rest.findIndex(({ pos }) => pos >= from);
      const others = rest.splice(0, count < 0 ? rest.length : count).filter(this.#isFresh);
      if (others.length === 0) return;
      this.#tell(others.map((it) => this.#elsewhere(it)));
    }
  }

  #elsewhere({ pos, event }: EventRead): CommittedEvent {
    return { ...event, pos, cursor: `${this.#ports.incarnation()}.${pos}`, isOwn: false };
  }
}
