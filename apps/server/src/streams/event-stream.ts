import type { EventFilter } from '@baton/store';
import { eventView } from '../views/event.ts';
import type { EventHub } from './event-hub.ts';
import type { FeedStart } from './feed-cursor.ts';
import { heartbeatMs, sseHeartbeat, sseMessage } from './sse.ts';

/** Events that go out in one piece; bounds what a slow client makes us hold. */
const eventsPerPiece = 64;

/**
 * The feed as server-sent messages, from `start` on and without a hole. A reader whose place is lost is
 * told `reset` with the cursor to go on from, once it has read everything anew.
 */
export async function* eventStream(
  hub: EventHub,
  filter: EventFilter,
  start: FeedStart,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const incarnation = hub.incarnation();
  let pos = start.kind === 'pos' ? start.pos : await hub.head();
  yield sseHeartbeat;
  if (start.kind !== 'pos') {
    const cursor = `${incarnation}.${pos}`;
    const event = start.kind === 'lost' ? 'reset' : 'position';
    yield sseMessage({ id: cursor, event, data: { cursor } });
  }
  while (!signal.aborted) {
    const { events, upTo } = await hub.after(filter, pos, eventsPerPiece);
    pos = upTo;
    if (events.length > 0) {
      yield events
        .map((read) => eventView(read, incarnation))
        .map((view) => sseMessage({ id: view.cursor, data: view }))
        .join('');
      continue;
    }
    if ((await hub.changed(pos, heartbeatMs, signal)) === 'silence') yield sseHeartbeat;
  }
}
