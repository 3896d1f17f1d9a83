import type { CoordinatorStore } from '@baton/coordinator';
import { isOpenAttempt, isTerminalRun, isTerminalTask } from '@baton/contract';
import type { Reads } from '@baton/store';
import type { EventLoop } from '../event-loop.ts';
import { MemoryTx, type Wire } from './memory-tx.ts';
import type { SqlSide } from '../sql/sql-side.ts';
import { engines, ids, inAnyOrder, keys, leaseIds, whole } from './answer-views.ts';
import { assignmentRows } from './assignment-model.ts';
import { purgeable, purgeStep } from './purge-model.ts';
import type { Purgeable, SimDatabase } from './sim-database.ts';
import { WriteLine } from './write-line.ts';

/** The store of one replica: the database as seen through its connections. */
export interface MemoryStore extends CoordinatorStore {
  /** Whoever reads the feed. */
  readonly reads: FeedReads;
  /** How what has ended ended, and the end of the feed, of one moment. */
  readonly snapshot: () => Promise<Snap>;
  readonly listPurgeable: (limit: number) => Promise<readonly Purgeable[]>;
  /** Takes away a piece; answers how many rows went. */
  readonly purgeStep: (what: Purgeable) => Promise<number>;
  /** The replica has died: the server drops what it left open. */
  readonly disconnect: () => void;
}

export interface Snap {
  readonly pos: number;
  readonly ends: readonly (readonly [name: string, end: string])[];
}

/** What followers of the feed ask the database. */
export type FeedReads = Pick<Reads, 'feedHead' | 'feedFloor' | 'eventsAfter'>;

type Peek = Parameters<Parameters<CoordinatorStore['peek']>[0]>[0];

/** A replica's way to the database. */
export function createMemoryStore(
  db: SimDatabase,
  wire: Wire,
  loop: EventLoop,
  sql?: SqlSide,
): MemoryStore {
  const open = new Set<MemoryTx>();
  const line = new WriteLine(db, wire, loop, sql);
  const { world } = db;
  const read = <T>(find: () => T): Promise<T> => wire.call(find);
  /** The same question at the database in SQL, where there is one; `view` is what counts of an answer. */
  const both = <T>(
    what: string,
    find: () => T,
    ask: (side: SqlSide) => Promise<unknown>,
    view: (answer: never) => unknown = (answer) => answer,
  ): Promise<T> =>
    wire.call(async () => {
      if (sql === undefined) return find();
      const leave = await sql.enter();
      try {
        const found = find();
        await sql.same(what, view(found as never), async () => view((await ask(sql)) as never));
        return found;
      } finally {
        leave();
      }
    });
  /** A transaction; where there is a database in SQL, it has one connection. */
  const begin = async (): Promise<MemoryTx> => {
    if (sql === undefined) return new MemoryTx(db, wire, loop);
    const leave = await sql.enter();
    return new MemoryTx(db, wire, loop, { tx: await sql.begin(), leave });
  };
  return {
    async transaction(work) {
      const tx = await begin();
      open.add(tx);
      try {
        const result = await work(tx);
        if (!tx.isOver) await tx.rollback();
        return result;
      } catch (error) {
        await tx.rollback();
        throw error;
      } finally {
        open.delete(tx);
      }
    },
    write: (premises, writes) => line.write(premises, writes),
    fence: (mark) =>
      both(
        'fence',
        () => {
          line.fenced();
          return db.fence(mark);
        },
        (side) => side.store.fence(mark),
      ),
    readEvents: (fromPos, count) =>
      both(
        'readEvents',
        () => db.feed.slice(fromPos - 1, fromPos - 1 + count).map(({ event }) => event),
        (side) => side.store.readEvents(fromPos, count),
      ),
    peek: async (look) =>
      look({
        ...peekOf(begin),
        feed: () =>
          both(
            'seeFeedEnd',
            () => db.feedState(),
            (side) => side.store.peek((tx) => tx.feed()),
          ),
      }),
    outcomeOf: (xid) => read(() => db.outcomes.get(xid) ?? 'aborted'),
    findEventPlace: (run, runSeq) =>
      both(
        'findEventPlace',
        () => {
          const found = db.feed.find(({ event }) => event.runId === run && event.runSeq === runSeq);
          return found === undefined ? undefined : { pos: found.pos, atMs: found.event.atMs };
        },
        (side) => side.store.findEventPlace(run, runSeq),
      ),
    listExpiredLeases: (limit) =>
      both(
        'listExpiredLeases',
        () =>
          world
            .all('attempts')
            .filter((it) => isOpenAttempt(it.status) && it.leaseUntilMs <= db.nowMs())
            .sort((a, b) => a.leaseUntilMs - b.leaseUntilMs)
            .slice(0, limit),
        (side) => side.store.listExpiredLeases(limit),
        leaseIds,
      ),
    listAwaitsToCheck: (limit) =>
      both(
        'listAwaitsToCheck',
        () =>
          world
            .all('awaits')
            .filter((it) => {
              const isOver = (id: string) => {
                const task = world.row('tasks', id);
                return task === null || task.outOfPlay || isTerminalTask(task.status);
              };
              return (
                it.crossesRuns &&
                it.status === 'open' &&
                world.row('tasks', it.taskId)?.status === 'waiting' &&
                it.tasks.filter(isOver).length >= it.needed
              );
            })
            .slice(0, limit),
        (side) => side.store.listAwaitsToCheck(limit),
        ids,
      ),
    listDueTimers: (limit) =>
      both(
        'listDueTimers',
        () =>
          world
            .all('timers')
            .filter((it) => it.dueAtMs <= db.nowMs() + db.timersAheadMs)
            .sort((a, b) => a.dueAtMs - b.dueAtMs)
            .slice(0, limit),
        (side) => side.store.listDueTimers(limit),
        ids,
      ),
    listWorkersToSweep: ({ silentMs, offlineMs, limit }) =>
      both(
        'listWorkersToSweep',
        () =>
          world
            .all('workers')
            .filter((it) => {
              const awayMs = db.nowMs() - (it.lastSeenAtMs ?? it.registeredAtMs);
              return (
                (it.presence === 'online' && awayMs > silentMs) ||
                (it.presence !== 'offline' && awayMs > offlineMs)
              );
            })
            .slice(0, limit),
        (side) => side.store.listWorkersToSweep({ silentMs, offlineMs, limit }),
        ids,
      ),
    listOpenAttemptIds: () =>
      both(
        'listOpenAttemptIds',
        () => world.all('attempts').filter((it) => isOpenAttempt(it.status)),
        (side) => side.store.listOpenAttemptIds(),
        ids,
      ),
    listNeeds: () =>
      both(
        'listNeeds',
        () => {
          const used = new Set(world.all('ready').map((it) => it.needsId));
          return world.all('needs').filter((it) => used.has(it.id));
        },
        (side) => side.store.listNeeds(),
        ids,
      ),
    listLimitedKeys: () =>
      both(
        'listLimitedKeys',
        () => world.all('limits'),
        (side) => side.store.listLimitedKeys(),
        keys,
      ),
    listPasses: () =>
      both(
        'listPasses',
        () => {
          const least = new Map<string, number>();
          for (const { projectId, pass, held } of world.all('ready')) {
            if (held === null) least.set(projectId, Math.min(least.get(projectId) ?? pass, pass));
          }
          return [...least].map(([projectId, pass]) => ({ projectId, pass }));
        },
        (side) => side.store.listPasses(),
        whole,
      ),
    listKnownEngines: () =>
      both(
        'listKnownEngines',
        () =>
          world
            .all('workers')
            .flatMap(({ projectId, capabilities }) =>
              capabilities.engines.map(({ name }) => ({ projectId, engine: name })),
            ),
        (side) => side.store.listKnownEngines(),
        engines,
      ),
    findDeclaredOutputs: (id) =>
      read(() => {
        const attempt = world.row('attempts', id);
        const spec = attempt === null ? null : world.row('taskSpecs', attempt.taskId);
        return spec?.spec.outputs ?? [];
      }),
    feedHead: () =>
      both(
        'feedHead',
        () => ({ pos: db.feed.length, incarnation: db.incarnation, nowMs: db.nowMs() }),
        (side) => side.store.feedHead(),
      ),
    raiseIncarnation: (from, to) =>
      both(
        'raiseIncarnation',
        () => db.raiseIncarnation(from, to),
        ({ store }) => store.raiseIncarnation?.(from, to) ?? Promise.resolve(undefined),
      ),
    findEpochs: (attempts) =>
      both(
        'findEpochs',
        () => {
          const found = attempts.flatMap((id) => world.row('attempts', id) ?? []);
          return new Map(found.map((it) => [it.id, it.epoch]));
        },
        ({ store }) => store.findEpochs?.(attempts) ?? Promise.resolve(undefined),
      ),
    reads: {
      feedHead: () =>
        read(() => ({ pos: db.feed.length, incarnation: db.incarnation, nowMs: db.nowMs() })),
      feedFloor: () => read(() => 1),
      eventsAfter: (filter, pos, limit) =>
        both(
          'eventsAfter',
          () =>
            db.feed
              .slice(pos)
              .filter(({ event }) => event.type !== 'event.purged')
              .filter(({ event }) => event.projectId === filter.project)
              .slice(0, limit),
          (side) => side.reads.eventsAfter(filter, pos, limit),
        ),
    },
    snapshot: () =>
      read(() => ({
        pos: db.feed.length,
        ends: [
          ...world
            .all('runs')
            .filter((it) => isTerminalRun(it.status))
            .map((it) => [`run ${it.id}`, it.status] as const),
          ...world
            .all('tasks')
            .filter((it) => isTerminalTask(it.status))
            .map((it) => [`task ${it.id}`, it.status] as const),
        ],
      })),
    listPurgeable: (limit) =>
      both(
        'listPurgeable',
        () => purgeable(db, limit),
        (side) => side.listPurgeable(limit),
        whole,
      ),
    purgeStep: (what) =>
      sql === undefined
        ? purgeStep(db, read, (statement) => underLock(db, wire, what.run, statement), what)
        : wire.call(async () => {
            // Others do not get in between on one connection: the whole step at once.
            const leave = await sql.enter();
            try {
              const gone = await purgeStep(db, atOnce, atOnce, what);
              await sql.same('purgeStep', gone, () => sql.purgeStep(what));
              return gone;
            } finally {
              leave();
            }
          }),
    purgeExpired: () => read(() => 0),
    maintain: () => read(() => undefined),
    loadAssignmentRows: (id) =>
      both(
        'loadAssignmentRows',
        () => assignmentRows(db, id),
        ({ store }) => store.loadAssignmentRows(id),
        inAnyOrder,
      ),
    appendLogChunk: (piece) =>
      read(() => {
        const attempt = world.row('attempts', piece.attempt);
        if (attempt === null) return { kind: 'not_found' };
        const isOpen = attempt.epoch === piece.epoch && attempt.endedAtMs === null;
        return isOpen
          ? { kind: 'appended', nextOffset: piece.offset + piece.data.length }
          : { kind: 'stale' };
      }),
    disconnect() {
      for (const tx of open) tx.abort('the client is gone');
      open.clear();
      line.disconnect();
    },
  };
}

const atOnce = (statement: () => number): Promise<number> => Promise.resolve(statement());

/** The row of a run goes only when no batch holds it. */
function underLock(
  db: SimDatabase,
  wire: Wire,
  run: string,
  statement: () => number,
): Promise<number> {
  return wire.call(async () => {
    const holder = { name: `${wire.replica} purge` };
    await db.locks.acquire(holder, `runs ${run}`);
    const gone = statement();
    db.locks.releaseAll(holder);
    return gone;
  });
}

/** What a batch would find: as a transaction of its own finds it, and then undone. */
function peekOf(begin: () => Promise<MemoryTx>): Omit<Peek, 'feed'> {
  const undone = async <T>(look: (tx: MemoryTx) => Promise<T>): Promise<T> => {
    const tx = await begin();
    try {
      return await look(tx);
    } finally {
      await tx.rollback();
    }
  };
  return {
    loadRows: (table, ids) => undone((tx) => tx.loadRows(table, ids)),
    loadList: (list, owners) => undone((tx) => tx.loadList(list, owners)),
    loadSlots: (workers) => undone((tx) => tx.loadSlots(workers)),
    candidates: (project, needsIds, limit) => undone((tx) => tx.seeQueue(project, needsIds, limit)),
    freeSlots: (project, limit) => undone((tx) => tx.lockFreeSlots(project, limit)),
  };
}
