import type { Command } from '@baton/contract';
import type { AttemptRow, TaskRow } from '@baton/kernel';
import type { BatchWrites, Placed } from '@baton/coordinator';
import { StoreError, type RowChange } from '@baton/store';
import type { MutantRow } from './mutant-row.ts';
import {
  ahead,
  forgiving,
  handlers,
  rows,
  transactions,
  writes,
  type AnyHandler,
} from './spoil.ts';

function hasEpochBelow(row: RowChange['original'], epoch: number): boolean {
  return row !== null && 'epoch' in row && row.epoch < epoch;
}

const WRITES_OF_ATTEMPTS = [
  'attempt.start',
  'attempt.progress',
  'attempt.output',
  'attempt.complete',
  'attempt.fail',
  'attempt.release',
] as const;

/** Whatever the epoch that a command names, it is taken for the right one. */
const anyEpoch: (original: AnyHandler) => AnyHandler = (original) => (draft, command) => {
  if (!('attempt' in command) || !('body' in command)) return original(draft, command);
  const epoch = draft.find('attempts', command.attempt)?.epoch ?? command.body.epoch;
  return original(draft, { ...command, body: { ...command.body, epoch } } as Command);
};

const committedAtOnce = transactions((tx) => ({
  commit: (all): Promise<Placed | undefined> => {
    void tx.commit(all).catch(() => undefined);
    return Promise.resolve(undefined);
  },
}));

/** Defects of what is decided and written: fences, answers, locks, leases, epochs, ends. */
export const STATE_MUTANTS: readonly MutantRow[] = [
  {
    name: 'any-epoch',
    what: 'writes of attempts are taken under any epoch',
    caughtBy: 'fencing',
    apply: handlers(WRITES_OF_ATTEMPTS, anyEpoch),
  },
  {
    name: 'late-writes',
    what: 'writes of attempts that have ended are accepted',
    caughtBy: 'fencing',
    apply: handlers(WRITES_OF_ATTEMPTS, forgiving('stale_epoch')),
  },
  {
    name: 'ack-before-commit',
    what: 'callers are answered when COMMIT is sent, not when it is answered',
    caughtBy: 'acknowledged-is-durable',
    store: (store) => ({
      ...committedAtOnce(store),
      write: (premises, all): Promise<Placed> => {
        void store.write(premises, all).catch(() => undefined);
        const { feed } = premises;
        const nextPos = feed.nextPos + all.events.length;
        const after = { nextPos, incarnation: feed.incarnation, mark: all.mark };
        return Promise.resolve({ pos: feed.nextPos, atMs: all.nowMs, feed: after });
      },
    }),
  },
  {
    name: 'lost-commit-is-done',
    what: 'an unknown COMMIT is taken for done',
    caughtBy: 'acknowledged-is-durable',
    store: (store) => ({ ...store, outcomeOf: () => Promise.resolve('committed') }),
  },
  {
    name: 'lost-commit-is-undone',
    what: 'an unknown COMMIT is taken for undone and done again',
    caughtBy: 'one-effect',
    profile: { commitUnknownApplied: 0.3 },
    store: (store) => {
      const lost = new Set<string | undefined>();
      // What has an id of its own could not be made twice: of runs alone, which get another one.
      const isRun = (all: BatchWrites): boolean =>
        all.rows.some((it) => it.table === 'runs' && it.original === null);
      const noted = transactions((tx) => ({
        commit: (all) =>
          tx.commit(all).catch((error: unknown) => {
            if (error instanceof StoreError && isRun(all)) lost.add(error.xid);
            throw error;
          }),
      }));
      return {
        ...noted(store),
        outcomeOf: (xid) => (lost.has(xid) ? Promise.resolve('aborted') : store.outcomeOf(xid)),
      };
    },
  },
  {
    name: 'no-keys',
    what: 'the first answer to an idempotency key is not stored',
    caughtBy: 'one-effect',
    store: writes((all) => ({ ...all, idempotent: [] })),
  },
  {
    name: 'no-run-locks',
    what: 'runs are not locked',
    caughtBy: 'no-lost-update',
    database: (db) => {
      db.locks.ignores = (key) => key.startsWith('runs ');
    },
  },
  {
    name: 'no-worker-locks',
    what: 'workers are not locked',
    caughtBy: 'no-lost-update',
    database: (db) => {
      db.locks.ignores = (key) => key.startsWith('workers ');
    },
  },
  {
    name: 'double-decrement',
    what: 'an upstream that ends counts twice',
    caughtBy: 'audit',
    store: rows((change) => {
      if (change.table !== 'tasks' || change.original === null || change.row === null)
        return change;
      const [before, after] = [change.original as TaskRow, change.row as TaskRow];
      const isDown = after.pending < before.pending && after.pending > 0;
      return isDown ? { ...change, row: { ...after, pending: after.pending - 1 } } : change;
    }),
  },
  {
    name: 'skip-grace',
    what: 'a replica that starts gives no grace',
    caughtBy: 'grace',
    store: (store) => ({ ...store, listOpenAttemptIds: () => Promise.resolve([]) }),
  },
  {
    name: 'impatient-leases',
    what: 'leases are taken for over half a minute early',
    caughtBy: 'lease-first',
    apply: handlers(['lease.expire'], ahead(60_000)),
    store: (store) => ({
      ...store,
      listExpiredLeases: async () => {
        const all = await store.listOpenAttemptIds();
        return all as never;
      },
    }),
  },
  {
    name: 'impatient-deadlines',
    what: 'deadlines of questions fire early',
    caughtBy: 'deadline-first',
    apply: handlers(['timer.fire'], ahead(3_600_000)),
    database: (db) => {
      db.timersAheadMs = 3_600_000;
    },
  },
  {
    name: 'two-deciders',
    what: 'who decides second is told that the decision was theirs',
    caughtBy: 'one-decision',
    apply: handlers(['checkpoint.resolve'], forgiving('checkpoint_closed')),
  },
  {
    name: 'same-epoch',
    what: 'a claim gets the epoch of the one before',
    caughtBy: 'epochs-grow',
    store: rows((change) => {
      const { table, row, original } = change;
      if (row === null || !('epoch' in row) || row.epoch <= 2 ** 32) return change;
      const isClaim = table === 'attempts' ? original === null : hasEpochBelow(original, row.epoch);
      return isClaim ? { ...change, row: { ...row, epoch: row.epoch - 1 } } : change;
    }),
  },
  {
    name: 'epoch-of-attempt-alone',
    what: 'an attempt gets another epoch than its task',
    caughtBy: 'epoch-of-task',
    store: rows((change) => {
      if (change.table !== 'attempts' || change.original !== null) return change;
      return { ...change, row: { ...(change.row as AttemptRow), epoch: 1 } };
    }),
  },
  {
    name: 'revived',
    what: 'an attempt that was lost goes on',
    caughtBy: 'one-live-attempt',
    store: rows((change) => {
      if (change.table !== 'attempts' || change.original === null || change.row === null)
        return change;
      const [before, after] = [change.original as AttemptRow, change.row as AttemptRow];
      return before.endedAtMs === null && after.status === 'lost'
        ? { ...change, row: { ...after, status: 'running', endedAtMs: null } }
        : change;
    }),
  },
  {
    name: 'ends-twice',
    what: 'what is written of an ended attempt changes how it ended',
    caughtBy: 'one-end',
    store: rows((change) => {
      if (change.table !== 'attempts' || change.original === null || change.row === null)
        return change;
      const [before, after] = [change.original as AttemptRow, change.row as AttemptRow];
      return before.endedAtMs === null
        ? change
        : { ...change, row: { ...after, status: before.status === 'lost' ? 'failed' : 'lost' } };
    }),
  },
  {
    name: 'leftover-timers',
    what: 'timers stay when what they wait for is over',
    caughtBy: 'audit',
    store: rows((change) => (change.table === 'timers' && change.row === null ? null : change)),
  },
  {
    name: 'silent-change',
    what: 'the end of a task is not told',
    caughtBy: 'events-tell-state',
    store: writes((all) => ({
      ...all,
      events: all.events.map((event) =>
        event.type === 'task.completed' ? { ...event, type: 'task.progressed' } : event,
      ),
    })),
  },
];
