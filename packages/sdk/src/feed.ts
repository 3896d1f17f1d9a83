import type { Event, Json, RouteName } from '@baton/contract';
import { readStream, type StreamOptions } from './sse.ts';
import type { Transport } from './transport.ts';

/**
 * What comes out of a feed: an event, or the news that the server no longer has what lies behind the
 * cursor. After `reset` read the state anew, and go on from that snapshot's cursor.
 */
export type FeedItem =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'reset'; readonly cursor: string | undefined; readonly data: Json };

export interface FeedOptions extends StreamOptions {
  /** Cursor of the last event that is known; `now` for the end of the feed. Default: its start. */
  readonly after?: string | undefined;
}

/** Events as they happen, without a hole or a double across reconnections. */
export async function* readFeed(
  transport: Transport,
  name: RouteName,
  params: Readonly<Record<string, string>>,
  query: Readonly<Record<string, unknown>>,
  options: FeedOptions,
): AsyncGenerator<FeedItem, void, undefined> {
  const isCursor = options.after !== undefined && options.after !== 'now';
  const messages = readStream(
    (lastEventId, signal) =>
      transport.sendOnce(name, {
        params,
        query: lastEventId === undefined ? { ...query, after: options.after } : query,
        headers: {
          accept: 'text/event-stream',
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
        signal,
      }),
    { ...options, lastEventId: isCursor ? options.after : undefined },
  );
  for await (const message of messages) {
    const data = JSON.parse(message.data === '' ? 'null' : message.data) as Json;
    if (message.event === 'reset') {
      yield { kind: 'reset', cursor: message.id ?? cursorIn(data), data };
    } else if (isEvent(data)) {
      yield { kind: 'event', event: data };
    }
  }
}

function cursorIn(data: Json): string | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  return typeof data['cursor'] === 'string' ? data['cursor'] : undefined;
}

/** The server made it from the same schema; only other kinds of messages are told apart. */
function isEvent(data: unknown): data is Event {
  return typeof data === 'object' && data !== null && 'cursor' in data && 'type' in data;
}
