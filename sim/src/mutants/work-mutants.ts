import type { LimitRow, ReadyRow, TaskSpecRow } from '@baton/kernel';
import type { MutantRow } from './mutant-row.ts';
import { rows, transactions, writes } from './spoil.ts';

function withoutPolicy(row: TaskSpecRow): TaskSpecRow {
  const { verification: _, ...spec } = row.spec;
  return { ...row, spec };
}

/** Defects of verdicts, limits and the order of the queue. */
export const WORK_MUTANTS: readonly MutantRow[] = [
  {
    name: 'unverified',
    what: 'results are taken without the verdict that they need',
    caughtBy: 'verdict-first',
    store: transactions((tx) => ({
      loadRows: async (table, ids) => {
        const found = await tx.loadRows(table, ids);
        if (table !== 'taskSpecs') return found;
        const specs = [...(found as ReadonlyMap<string, TaskSpecRow>)];
        return new Map(specs.map(([id, row]) => [id, withoutPolicy(row)])) as never;
      },
    })),
  },
  {
    name: 'verdict-on-another',
    what: 'a verdict is told of another attempt than it judged',
    caughtBy: 'verdict-first',
    store: writes((all) => ({
      ...all,
      events: all.events.map((event) =>
        event.type === 'verification.accepted' || event.type === 'verification.rejected'
          ? { ...event, data: { ...event.data, attempt: 'att_0' } }
          : event,
      ),
    })),
  },
  {
    name: 'unlimited',
    what: 'limits are not looked at when work is handed out',
    caughtBy: 'within-limit',
    store: transactions((tx) => ({
      loadList: async (list, owners) => {
        const found = await tx.loadList(list, owners);
        if (list !== 'limitsOfProject') return found;
        return new Map(owners.map((owner) => [owner, new Map()])) as never;
      },
    })),
  },
  {
    name: 'rate-not-kept',
    firstSeed: 14,
    what: 'what a rate has let through is not written down',
    caughtBy: 'within-rate',
    store: rows((change) => {
      const [before, after] = [change.original as LimitRow | null, change.row as LimitRow | null];
      if (change.table !== 'limits' || before === null || after === null) return change;
      return { ...change, row: { ...after, tat: before.tat } };
    }),
  },
  {
    name: 'no-priorities',
    firstSeed: 3,
    what: 'the queue is read without regard to classes',
    caughtBy: 'priority-first',
    database: (db) => {
      db.queueOrder = (a, b) => a.pass - b.pass || a.seq - b.seq;
    },
  },
  {
    name: 'no-turns',
    firstSeed: 16,
    what: 'runs take no turns: who came first is served first, to the end',
    caughtBy: 'fair-turns',
    store: rows((change) => {
      if (change.table !== 'ready' || change.row === null) return change;
      return { ...change, row: { ...(change.row as ReadyRow), pass: 0 } };
    }),
  },
];
