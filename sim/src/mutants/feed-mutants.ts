import type { MutantRow } from './mutant-row.ts';
import { transactions, writes } from './spoil.ts';

const committedElsewhere = transactions((tx) => ({
  commit: async (all) => {
    const place = await tx.commit(all);
    return place === undefined ? undefined : { ...place, pos: place.pos + 1 };
  },
}));

/** Defects of the feed: its cursors, its order, and how it is told. */
export const FEED_MUTANTS: readonly MutantRow[] = [
  {
    name: 'silent-page',
    what: 'a follower is told a place behind the last event of its page, which it never gets',
    caughtBy: 'reader-in-order',
    hub: (hub) => ({
      ...hub,
      after: async (filter, pos, limit) => {
        const slice = await hub.after(filter, pos, limit);
        const events = slice.events.length > 2 ? slice.events.slice(0, -1) : slice.events;
        return { ...slice, events };
      },
    }),
  },
  {
    name: 'cursor-ahead',
    what: 'followers are given the cursor of the event that comes next',
    caughtBy: 'reader-in-order',
    hub: (hub) => ({
      ...hub,
      after: async (filter, pos, limit) => {
        const { events, upTo } = await hub.after(filter, pos, limit);
        return { upTo, events: events.map((it) => ({ ...it, pos: it.pos + 1 })) };
      },
    }),
  },
  {
    name: 'late-cursor',
    what: 'the cursor of a snapshot is read after the state',
    caughtBy: 'snapshot-and-tail',
    profile: { storeMsMax: 400 },
    snapshot: async (store) => {
      const { ends } = await store.snapshot();
      let pos = 0;
      // On a slow way to the database, so that something ends in between.
      for (let reads = 0; reads < 30; reads++) ({ pos } = await store.reads.feedHead());
      return { ends, pos };
    },
  },
  {
    name: 'any-history',
    what: 'cursors of another history are taken for places in this one',
    caughtBy: 'foreign-cursor',
    profile: { workers: ['honest', 'liar', 'liar'] },
    feedStart: (cursor) => ({ kind: 'pos', pos: Number(cursor?.split('.')[1] ?? 0) }),
  },
  {
    name: 'event-gap',
    what: 'an event of a run is left out',
    caughtBy: 'dense-run-seq',
    store: writes((all) => ({
      ...all,
      events: all.events.length > 3 ? all.events.toSpliced(1, 1) : all.events,
    })),
  },
  {
    name: 'reads-at-cursor',
    what: 'readers are given `pos >= cursor`',
    caughtBy: 'feed-in-order',
    eventsAfter: (feed, pos, limit) => feed.filter((it) => it.pos >= pos).slice(0, limit),
  },
  {
    name: 'skips-behind-cursor',
    what: 'a page of the feed leaves out what was written last',
    caughtBy: 'feed-in-order',
    eventsAfter: (feed, pos, limit) =>
      feed.filter((it) => it.pos > pos && it.pos % 7 !== 0).slice(0, limit),
  },
  {
    name: 'time-goes-back',
    what: 'the feed takes the times of replicas as they come',
    caughtBy: 'time-grows',
    database: (db) => {
      db.keepsTimeInOrder = false;
    },
  },
  {
    name: 'told-elsewhere',
    what: 'replicas tell events at the wrong place',
    caughtBy: 'told-as-stored',
    store: (store) => ({
      ...committedElsewhere(store),
      write: async (premises, all) => {
        const place = await store.write(premises, all);
        return { ...place, pos: place.pos + 1 };
      },
    }),
  },
];
