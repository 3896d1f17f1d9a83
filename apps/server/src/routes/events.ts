import type { App } from '../app.ts';
import type { Call, Handlers } from '../call.ts';
import { mapPage, readPage } from '../paging.ts';
import { AppError } from '@baton/contract';
import { z } from 'zod';
import type { EventFilter } from '@baton/store';
import { resolveId } from '../resolve.ts';
import { eventStream } from '../streams/event-stream.ts';
import { feedStart } from '../streams/feed-cursor.ts';
import { sseResponse } from '../streams/sse.ts';
import { streamSignal } from '../streams/stream-signal.ts';
import { eventView } from '../views/event.ts';

const byPos = z.strictObject({ pos: z.int().nonnegative() });

interface EventQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly after?: string | undefined;
}

/** A page of events, or a stream of them where the caller accepts one. */
export async function answerEvents(
  app: App,
  call: Pick<Call<'listEvents'>, 'header' | 'wantsStream' | 'signal' | 'principal'> & {
    readonly query: EventQuery;
  },
  filter: EventFilter,
) {
  const { events } = app;
  const after = call.wantsStream
    ? (call.header('last-event-id') ?? call.query.after)
    : call.query.after;
  const [head, floor] = await Promise.all([events.head(), events.floor()]);
  const start = feedStart(after, events.incarnation(), head, floor);
  if (start.kind === 'lost' && start.proof !== undefined) {
    await app.coordinator.suspectLoss(start.proof);
  }
  if (call.wantsStream) {
    const signal = streamSignal(app, call);
    return sseResponse(eventStream(events, filter, start, signal));
  }
  if (start.kind === 'lost') {
    throw new AppError(
      'bad_cursor',
      'This place in the feed is no longer there: read the state anew and go on from its cursor.',
    );
  }
  const from = start.kind === 'pos' ? start.pos : await events.head();
  const page = await readPage(
    { limit: call.query.limit, cursor: call.query.cursor, filter: ['events', filter] },
    byPos,
    async (count, key) => (await events.after(filter, key?.pos ?? from, count)).events,
    ({ pos }) => ({ pos }),
  );
  return mapPage(page, (read) => eventView(read, events.incarnation()));
}

/** Handlers of the area `events`. */
export function eventHandlers(app: App): Pick<Handlers, 'listEvents'> {
  return {
    async listEvents(call) {
      const { run, task } = call.query;
      return answerEvents(app, call, {
        project: call.project,
        ...(run === undefined
          ? {}
          : { run: await resolveId(app.reads, 'runs', call.project, run) }),
        ...(task === undefined
          ? {}
          : { task: await resolveId(app.reads, 'tasks', call.project, task) }),
      });
    },
  };
}
