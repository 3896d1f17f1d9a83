import type { MutantRow } from './mutant-row.ts';

/** Defects by which something that waits is never looked at. */
export const SWEEP_MUTANTS: readonly MutantRow[] = [
  {
    name: 'foreign-work-unseen',
    what: 'a replica does not learn of needs that another one met first',
    caughtBy: 'all-ends',
    store: (store) => ({ ...store, listNeeds: () => Promise.resolve([]) }),
  },
  {
    name: 'no-lease-sweep',
    what: 'nobody looks for leases that are over',
    caughtBy: 'all-ends',
    store: (store) => ({ ...store, listExpiredLeases: () => Promise.resolve([]) }),
  },
  {
    name: 'no-timers',
    what: 'nobody looks for timers that are due',
    caughtBy: 'all-ends',
    store: (store) => ({ ...store, listDueTimers: () => Promise.resolve([]) }),
  },
];
