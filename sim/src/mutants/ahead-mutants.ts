import type { NewEvent } from '@baton/kernel';
import type { MutantRow } from './mutant-row.ts';

/** Defects of batches that are decided from memory: what they take for granted, and answers that are lost. */
export const AHEAD_MUTANTS: readonly MutantRow[] = [
  {
    name: 'runs-unlooked',
    what: 'a batch decided ahead is written whatever became of its runs',
    caughtBy: 'premises-hold',
    database: (db) => {
      db.checked.runs = false;
    },
  },
  {
    name: 'anywhere-in-the-feed',
    what: 'a batch decided ahead is written wherever the feed ends',
    caughtBy: 'premises-hold',
    database: (db) => {
      db.checked.place = false;
    },
  },
  {
    name: 'open-fence',
    what: 'a fence keeps nothing off',
    caughtBy: 'fenced-off',
    // One that must find another batch behind it: few seeds lead there.
    firstSeed: 46,
    profile: { commitUnknownLate: 0.2 },
    database: (db) => {
      db.fencesOff = false;
    },
  },
  {
    name: 'lost-write-is-undone',
    what: 'a batch decided ahead that was not answered is taken for undone and done again',
    caughtBy: 'one-effect',
    profile: {
      commitUnknownApplied: 0.5,
      commitUnknownLost: 0,
      commitUnknownLate: 0,
      commitAborted: 0,
    },
    firstSeed: 16,
    store: (store) => ({ ...store, readEvents: () => Promise.resolve([]) }),
  },
  {
    name: 'lost-write-is-done',
    what: 'a batch decided ahead that was not answered is taken for done',
    caughtBy: 'acknowledged-is-durable',
    profile: { commitUnknownLost: 0.3 },
    store: (store) => {
      const given = new Map<number, readonly NewEvent[]>();
      return {
        ...store,
        write: (premises, writes) => {
          given.set(premises.feed.nextPos, writes.events);
          return store.write(premises, writes);
        },
        fence: async (mark) => ({ ...(await store.fence(mark)), nextPos: 1_000_000 }),
        readEvents: (fromPos, count) => Promise.resolve(given.get(fromPos)?.slice(0, count) ?? []),
      };
    },
  },
];
