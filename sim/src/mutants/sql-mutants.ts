import type { MutantRow } from './mutant-row.ts';
import { rows, writes } from './spoil.ts';

/** Defects that only the database in SQL has. */
export const SQL_MUTANTS: readonly MutantRow[] = [
  {
    name: 'sql-keeps-timers',
    what: 'in SQL timers are not deleted',
    caughtBy: 'same-as-sql',
    sql: rows((change) => (change.table === 'timers' && change.row === null ? null : change)),
  },
  {
    name: 'sql-forgets-a-run',
    what: 'in SQL the version of a run that changed is not raised',
    caughtBy: 'same-as-sql',
    sql: writes((all) => ({ ...all, changedRuns: new Set() })),
  },
  {
    name: 'sql-writes-blindly',
    what: 'in SQL a batch decided ahead is written whatever it took for granted',
    caughtBy: 'same-as-sql',
    sql: (store) => ({
      ...store,
      write: async (_premises, all) => {
        const placed = await store.transaction((tx) => tx.commit(all));
        if (placed === undefined) throw new Error('a write without events');
        return placed;
      },
    }),
  },
];
