import type { Event, RunGraph } from '@baton/contract';
import type { Client, FeedItem } from '@baton/sdk';
import type { QueryClient } from '@tanstack/react-query';
import { keys } from '../queries/keys.ts';
import { applyEvents } from './apply-events.ts';
import { createCacheWriter } from './cache-writer.ts';
import { createCoalescer } from './coalesce.ts';
import { followShared, type Connection } from './shared-stream.ts';

/** What the frame tells about the feed. `sinceMs`: since when it has been so. */
export interface FeedState {
  readonly phase: 'connecting' | 'live' | 'broken' | 'signed_out';
  readonly sinceMs: number;
  /** Runs that were made since the list was last read. */
  readonly newRuns: readonly string[];
}

/** The stream of events, shared by the pages of a browser, that keeps this page's cache true. */
export interface Feed {
  readonly start: () => void;
  readonly stop: () => void;
  readonly subscribe: (listener: () => void) => () => void;
  readonly state: () => FeedState;
  /** Brings a snapshot up to the newest event that has come in. */
  readonly replay: (graph: RunGraph) => RunGraph;
  /** The list of runs was read anew. */
  readonly forgetNewRuns: () => void;
}

const RECENT_EVENTS_MAX = 4_000;
/** How often the pages ask anew while there is no stream. */
const POLL_MS = 10_000;

/** Makes a feed; nothing is sent until it is started. */
export function createFeed(client: Pick<Client, 'events' | 'runs'>, cache: QueryClient): Feed {
  let state: FeedState = { phase: 'connecting', sinceMs: Date.now(), newRuns: [] };
  let stopping: AbortController | undefined;
  let recent: Event[] = [];
  const listeners = new Set<() => void>();
  const coalescer = createCoalescer();
  const writer = createCacheWriter(client, cache, coalescer);

  function set(change: Partial<FeedState>): void {
    const changedPhase = change.phase !== undefined && change.phase !== state.phase;
    state = { ...state, ...change, ...(changedPhase ? { sinceMs: Date.now() } : {}) };
    for (const listener of listeners) listener();
  }

  function take(item: FeedItem): void {
    if (item.kind === 'reset') {
      recent = [];
      refreshAll(cache);
      return;
    }
    recent.push(item.event);
    if (recent.length > RECENT_EVENTS_MAX * 2) recent = recent.slice(-RECENT_EVENTS_MAX);
    writer.write(item.event);
    const { type, run } = item.event;
    if (type === 'run.created' && run !== null) set({ newRuns: [...state.newRuns, run] });
  }

  function connect(connection: Connection): void {
    set({ phase: connection });
    // What happened before this connection, and after the last snapshot, came over none.
    if (connection === 'live') refreshAll(cache);
  }

  return {
    start() {
      if (stopping !== undefined) return;
      const started = new AbortController();
      stopping = started;
      const poll = setInterval(() => {
        if (state.phase === 'broken') refreshAll(cache);
      }, POLL_MS);
      started.signal.addEventListener('abort', () => clearInterval(poll));
      followShared(client, { onItem: take, onConnection: connect }, started.signal);
    },
    stop() {
      stopping?.abort();
      stopping = undefined;
      coalescer.clear();
      set({ phase: 'connecting' });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    state: () => state,
    replay: (graph) => applyEvents(graph, recent),
    forgetNewRuns: () => {
      if (state.newRuns.length > 0) set({ newRuns: [] });
    },
  };
}

/** Everything on screen is asked for again; what is shown stays until the answer is there. */
function refreshAll(cache: QueryClient): void {
  void cache.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.session[0] });
}
