import type { Coordinator } from '@baton/coordinator';
import type { EventFilter, EventRead, Reads } from '@baton/store';

/** The newest events in memory, so that following the feed asks the database nothing. */
const keptMax = 4_096;
/** Ids of what was purged that are remembered; what was purged before that tells nothing any more. */
const purgedMax = 10_000;

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
  /** Runs and tasks that are being purged: whichever replica blanks their events, memory has none. */
  neverKeep(ids: readonly string[]): void;
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
  /** The newest position that was told, kept or not. */
  let newest = 0;
  const purged = new Set<string>();
  const waiting = new Set<() => void>();
  const unsubscribe = feed.onCommitted((committed) => {
    const fresh = committed.map((event) => ({ pos: event.pos, event }));
    newest = fresh.at(-1)?.pos ?? newest;
    keep(fresh);
    for (const wake of [...waiting]) wake();
  });

  function keep(fresh: readonly EventRead[]): void {
    for (const { event } of fresh) {
      const id = purgedBy(event);
      if (id === undefined) continue;
      neverKeep([id]);
      kept = [];
    }
    const isPurged = ({ event }: EventRead): boolean =>
      purged.has(event.runId ?? '') || purged.has(event.taskId ?? '');
    // Only what follows without a gap may be served from here.
    const from = purged.size === 0 ? 0 : fresh.findLastIndex(isPurged) + 1;
    const follows = from === 0 && fresh[0]?.pos === (kept.at(-1)?.pos ?? -2) + 1;
    kept = follows ? [...kept, ...fresh].slice(-keptMax) : fresh.slice(from).slice(-keptMax);
  }

  function neverKeep(ids: readonly string[]): void {
    for (const id of ids) purged.add(id);
    for (const id of purged) {
      if (purged.size <= purgedMax) break;
      purged.delete(id);
    }
  }

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
      const told = newest;
      const { pos: head } = await reads.feedHead();
      // The database was put back under us: what was told is there no more.
      if (head < told && newest === told) newest = head;
      if (head <= pos) return { events: [], upTo: pos };
      const events = await reads.eventsAfter(filter, pos, limit);
      const last = events.at(-1)?.pos ?? pos;
      return { events, upTo: events.length < limit ? Math.max(head, last) : last };
    },
    changed(pos, waitMs, signal) {
      if (signal.aborted || newest > pos) return Promise.resolve('news');
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
    neverKeep(ids) {
      neverKeep(ids);
      kept = [];
    },
    get waiting() {
      return waiting.size;
    },
    stop: unsubscribe,
  };
}

/** What an event says is to be purged. */
function purgedBy({ type, data }: EventRead['event']): string | undefined {
  const id =
    type === 'run.purged' ? data['run'] : type === 'task.purged' ? data['task'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

function fits(filter: EventFilter, { event }: EventRead): boolean {
  return (
    event.projectId === filter.project &&
    (filter.run === undefined || event.runId === filter.run) &&
    (filter.task === undefined || event.taskId === filter.task)
  );
}
