import type { Client, FeedItem } from '@baton/sdk';
import { isSignedOut } from '../api/problem.ts';

/** How the one connection of this browser is. */
export type Connection = 'live' | 'broken' | 'signed_out';

/** What one page is told. */
export interface StreamListener {
  readonly onItem: (item: FeedItem) => void;
  readonly onConnection: (connection: Connection) => void;
}

/** What the pages of one browser tell each other. `hello` is answered with how the connection is. */
type Said =
  | { readonly kind: 'item'; readonly item: FeedItem }
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'hello' };

const NAME = 'baton-feed';
const AGAIN_MS = 10_000;

/**
 * Follows the feed together with all other pages of this browser: the page that holds the lock reads
 * it and tells the others, because a browser keeps only six connections to a server. When that page
 * goes, the next takes over behind the last event it saw. Without locks each page reads for itself.
 */
export function followShared(
  client: Pick<Client, 'events'>,
  listener: StreamListener,
  signal: AbortSignal,
): void {
  // Both are missing on plain http to another machine, or in an old browser.
  const locks: LockManager | undefined = navigator.locks;
  const channel = new BroadcastChannel(NAME);
  let last: string | undefined;
  let own: Connection | undefined;

  const hear = (item: FeedItem): void => {
    last = item.kind === 'event' ? item.event.cursor : item.cursor;
    listener.onItem(item);
  };
  const say = (said: Said): void => {
    if (!signal.aborted) channel.postMessage(said);
  };
  channel.addEventListener('message', ({ data }: MessageEvent<Said>) => {
    if (data.kind === 'hello') {
      if (own !== undefined) say({ kind: 'connection', connection: own });
    } else if (data.kind === 'item') hear(data.item);
    else listener.onConnection(data.connection);
  });
  const tell = (connection: Connection): void => {
    own = connection;
    listener.onConnection(connection);
    say({ kind: 'connection', connection });
  };
  const lead = (): Promise<void> =>
    readForAll({
      client,
      signal,
      tell,
      from: () => last ?? 'now',
      take: (item) => {
        hear(item);
        say({ kind: 'item', item });
      },
    });
  signal.addEventListener('abort', () => channel.close());
  if (locks === undefined) {
    void lead();
    return;
  }
  say({ kind: 'hello' });
  locks.request(NAME, { signal }, lead).catch(() => undefined);
}

interface Reading {
  readonly client: Pick<Client, 'events'>;
  readonly signal: AbortSignal;
  readonly from: () => string;
  readonly tell: (connection: Connection) => void;
  readonly take: (item: FeedItem) => void;
}

/** Reads until the page goes or nobody is logged in. */
async function readForAll({ client, signal, from, tell, take }: Reading): Promise<void> {
  while (!signal.aborted) {
    try {
      const items = client.events(
        {},
        {
          after: from(),
          signal,
          onState: ({ state }) => {
            if (!signal.aborted) tell(state === 'connected' ? 'live' : 'broken');
          },
        },
      );
      for await (const item of items) take(item);
    } catch (error) {
      if (isSignedOut(error)) {
        tell('signed_out');
        return;
      }
    }
    if (signal.aborted) return;
    tell('broken');
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
