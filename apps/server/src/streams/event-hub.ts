import type { Coordinator } from '@baton/coordinator';
import type { EventFilter, EventRead, Reads } from '@baton/store';

/** The newest events in memory, so that following the feed asks the database nothing. */
const keptMax = 4_096;

/** What a reader gets: events that fit, and the position up to which nothing more fits. */
export interface EventSlice {
  readonly events: readonly EventRead[];
  readonly upTo: number;
}

/** The feed for many readers at once. Never skips: what is not in memory is read from the database. */
export interface EventHub {
  readonly incarnation: () => number;
  head(): Promise<number>;
  /** The oldest position that is kept. */
  floor(): Promise<number>;
  /** At most `limit` events behind `pos`. */
  after(filter: EventFilter, pos: number, limit: number): Promise<EventSlice>;
  /**
   * Resolves when there may be something behind `pos`, when the signal fires (`news`), or when nothing was
   * told for `waitMs` (`silence`).
   */
  changed(pos: number, waitMs: number, signal: AbortSignal): Promise<'news' | 'silence'>;
  /** Drops what is in memory, because stored events were blanked. */
  forget(): void;
  /** Readers that wait for news. */
  readonly waiting: number;
  stop(): void;
}

type Feed = Pick<Coordinator, 'onCommitted' | 'incarnation'>;

/** Calls once after a delay; answers what calls it off. */
type After = (delayMs: number, call: () => void) => () => void;

const processAfter: After = (delayMs, call) => {
  const timer = setTimeout(call, delayMs);
  return () => clearTimeout(timer);
};

export function createEventHub(
  feed: Feed,
  reads: Pick<Reads, 'feedHead' | 'feedFloor' | 'eventsAfter'>,
  after: After = processAfter,
): EventHub {
  let kept: EventRead[] = [];
  const waiting = new Set<() => void>();
  const unsubscribe = feed.onCommitted((committed) => {
    const fresh = committed.map((event) => ({ pos: event.pos, event }));
    const follows = fresh[0]?.pos === (kept.at(-1)?.pos ?? -2) + 1;
    // A gap: another replica wrote in between. Only what follows without one may be served from here.
    kept = follows ? [...kept, ...fresh].slice(-keptMax) : fresh.slice(-keptMax);
    for (const wake of [...waiting]) wake();
  });

  function fromMemory(filter: EventFilter, pos: number, limit: number): EventSlice | undefined {
    const first = kept[0]?.pos;
    const last = kept.at(-1)?.pos;
    if (first === undefined || last === undefined || pos < first - 1 || pos >= last)
      return undefined;
    const events: EventRead[] = [];
    for (let i = pos + 1 - first; i < kept.length; i++) {
      const read = kept[i];
      if (read === undefined) break;
      if (fits(filter, read)) events.push(read);
      if (events.length === limit) return { events, upTo: read.pos };
    }
    return { events, upTo: last };
  }

  return {
    incarnation: feed.incarnation,
    head: async () => (await reads.feedHead()).pos,
    floor: () => reads.feedFloor(),
    async after(filter, pos, limit) {
      const slice = fromMemory(filter, pos, limit);
      if (slice !== undefined) return slice;
      // Read before the events: what is committed in between comes with the next slice.
      const { pos: head } = await reads.feedHead();
      if (head <= pos) return { events: [], upTo: pos };
      const events = await reads.eventsAfter(filter, pos, limit);
      const last = events.at(-1)?.pos ?? pos;
      return { events, upTo: events.length < limit ? Math.max(head, last) : last };
    },
    changed(pos, waitMs, signal) {
      if (signal.aborted || (kept.at(-1)?.pos ?? 0) > pos) return Promise.resolve('news');
      return new Promise((resolve) => {
        const end = (why: 'news' | 'silence'): void => {
          callOff();
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve(why);
        };
        const wake = (): void => end('news');
        const callOff = after(waitMs, () => end('silence'));
        waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    },
    forget() {
      kept = [];
    },
    get waiting() {
      return waiting.size;
    },
    stop: unsubscribe,
  };
}

function fits(filter: EventFilter, { event }: EventRead): boolean {
  return (
    event.projectId === filter.project &&
    (filter.run === undefined || event.runId === filter.run) &&
    (filter.task === undefined || event.taskId === filter.task)
  );
}
