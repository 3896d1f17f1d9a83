import type { Command, CommandType } from '@baton/contract';
import type { BatchTx, BatchWrites, CoordinatorStore } from '@baton/coordinator';
import type { AttemptRow, LimitRow, ReadyRow, TaskRow, TaskSpecRow } from '@baton/kernel';
import { HANDLERS } from '@baton/kernel/testing';
import type { EventPlace, RowChange } from '@baton/store';
import type { Profile } from './profile.ts';
import type { Mutant } from './sim.ts';

/** A deliberate defect, and the check that must find it within so many seeds. */
export interface MutantRow extends Mutant {
  /** What is wrong with it, in one clause. */
  readonly what: string;
  readonly caughtBy: string;
  /** Faults that bring it out. */
  readonly profile?: Partial<Profile>;
  /** Where to begin: it needs something that few seeds have. */
  readonly firstSeed?: number;
}

type AnyHandler = (draft: AnyDraft, command: Command) => unknown;
interface AnyDraft {
  nowMs: number;
  find(table: 'attempts', id: string): AttemptRow | null;
}

/** Replaces handlers of the kernel until it is undone. */
function handlers(
  types: readonly CommandType[],
  spoil: (original: AnyHandler) => AnyHandler,
): () => () => void {
  return () => {
    const all = HANDLERS as unknown as Record<string, AnyHandler>;
    const before = types.map((type) => [type, all[type]] as const);
    for (const [type, original] of before) if (original !== undefined) all[type] = spoil(original);
    return () => {
      for (const [type, original] of before) if (original !== undefined) all[type] = original;
    };
  };
}

/** Wraps the transactions of a store. */
function transactions(wrap: (tx: BatchTx) => Partial<BatchTx>) {
  return (store: CoordinatorStore): CoordinatorStore => ({
    ...store,
    transaction: (work) =>
      store.transaction((tx) => {
        const spoilt = wrap(tx);
        const whole = new Proxy(tx, {
          get: (target, key) => {
            if (key in spoilt) return spoilt[key as keyof BatchTx];
            const value: unknown = Reflect.get(target, key);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
        return work(whole);
      }),
  });
}

/** Changes what is written. */
function writes(change: (all: BatchWrites) => BatchWrites) {
  return transactions((tx) => ({ commit: (all) => tx.commit(change(all)) }));
}

function rows(change: (row: RowChange) => RowChange | null) {
  return writes((all) => ({
    ...all,
    rows: all.rows.flatMap((row) => change(row) ?? []),
  }));
}

function withoutPolicy(row: TaskSpecRow): TaskSpecRow {
  const { verification: _, ...spec } = row.spec;
  return { ...row, spec };
}

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

/** A refusal with one of these codes is answered as if it had been done. */
const forgiving =
  (...codes: readonly string[]) =>
  (original: AnyHandler): AnyHandler =>
  (draft, command) => {
    const outcome = original(draft, command) as { readonly refused?: { readonly code: string } };
    const code = outcome.refused?.code;
    return code !== undefined && codes.includes(code) ? {} : outcome;
  };

/** The clock of one decision is ahead. */
const ahead =
  (ms: number) =>
  (original: AnyHandler): AnyHandler =>
  (draft, command) => {
    draft.nowMs += ms;
    try {
      return original(draft, command);
    } finally {
      draft.nowMs -= ms;
    }
  };

/** Every defect. Each must be found by the check it names: a check that finds nothing proves nothing. */
export const MUTANTS: readonly MutantRow[] = [
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
    store: transactions((tx) => ({
      commit: (all): Promise<EventPlace | undefined> => {
        void tx.commit(all).catch(() => undefined);
        return Promise.resolve(undefined);
      },
    })),
  },
  {
    name: 'lost-commit-is-done',
    what: 'an unknown COMMIT is taken for done',
    caughtBy: 'acknowledged-is-durable',
    store: (store) => ({ ...store, outcomeOf: () => Promise.resolve('committed') }),
  },
  {
    name: 'lost-commit-is-undone',
    firstSeed: 14,
    what: 'an unknown COMMIT is taken for undone and done again',
    caughtBy: 'one-effect',
    profile: { commitUnknownApplied: 0.3 },
    store: (store) => ({ ...store, outcomeOf: () => Promise.resolve('aborted') }),
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
    store: transactions((tx) => ({
      commit: async (all) => {
        const place = await tx.commit(all);
        return place === undefined ? undefined : { ...place, pos: place.pos + 1 };
      },
    })),
  },
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

/** Seeds that a defect may take to be found. */
export const SEEDS_MAX = 25;
