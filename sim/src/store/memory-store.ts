import type { CoordinatorStore } from '@baton/coordinator';
import { isOpenAttempt, isTerminalTask } from '@baton/contract';
import type { AssignmentRows, Tables } from '@baton/kernel';
import type { Reads } from '@baton/store';
import type { EventLoop } from '../event-loop.ts';
import { MemoryTx, type Wire } from './memory-tx.ts';
import { purgeable, purgeStep } from './purge-model.ts';
import type { Purgeable, SimDatabase } from './sim-database.ts';

/** The store of one replica: the database as seen through its connections. */
export interface MemoryStore extends CoordinatorStore {
  /** Whoever reads the feed. */
  readonly reads: FeedReads;
  readonly listPurgeable: (limit: number) => Promise<readonly Purgeable[]>;
  /** Takes away a piece; answers how many rows went. */
  readonly purgeStep: (what: Purgeable) => Promise<number>;
  /** The replica has died: the server drops what it left open. */
  readonly disconnect: () => void;
}

/** What followers of the feed ask the database. */
export type FeedReads = Pick<Reads, 'feedHead' | 'feedFloor' | 'eventsAfter'>;

type Peek = Parameters<Parameters<CoordinatorStore['peek']>[0]>[0];

/** A replica's way to the database. */
export function createMemoryStore(db: SimDatabase, wire: Wire, loop: EventLoop): MemoryStore {
  const open = new Set<MemoryTx>();
  const { world } = db;
  const read = <T>(find: () => T): Promise<T> => wire.call(find);
  return {
    async transaction(work) {
      const tx = new MemoryTx(db, wire, loop);
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
    peek: (look) => look(peekOf(db, wire, loop)),
    outcomeOf: (xid) => read(() => db.outcomes.get(xid) ?? 'aborted'),
    findEventPlace: (run, runSeq) =>
      read(() => {
        const found = db.feed.find(({ event }) => event.runId === run && event.runSeq === runSeq);
        return found === undefined ? undefined : { pos: found.pos, atMs: found.event.atMs };
      }),
    listExpiredLeases: (limit) =>
      read(() =>
        world
          .all('attempts')
          .filter((it) => isOpenAttempt(it.status) && it.leaseUntilMs <= db.nowMs())
          .sort((a, b) => a.leaseUntilMs - b.leaseUntilMs)
          .slice(0, limit),
      ),
    listAwaitsToCheck: (limit) =>
      read(() =>
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
      ),
    listDueTimers: (limit) =>
      read(() =>
        world
          .all('timers')
          .filter((it) => it.dueAtMs <= db.nowMs() + db.timersAheadMs)
          .sort((a, b) => a.dueAtMs - b.dueAtMs)
          .slice(0, limit),
      ),
    listWorkersToSweep: ({ silentMs, offlineMs, limit }) =>
      read(() =>
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
      ),
    listOpenAttemptIds: () =>
      read(() => world.all('attempts').filter((it) => isOpenAttempt(it.status))),
    listNeeds: () =>
      read(() => {
        const used = new Set(world.all('ready').map((it) => it.needsId));
        return world.all('needs').filter((it) => used.has(it.id));
      }),
    listLimitedKeys: () => read(() => world.all('limits')),
    listPasses: () =>
      read(() => {
        const least = new Map<string, number>();
        for (const { projectId, pass, held } of world.all('ready')) {
          if (held === null) least.set(projectId, Math.min(least.get(projectId) ?? pass, pass));
        }
        return [...least].map(([projectId, pass]) => ({ projectId, pass }));
      }),
    listKnownEngines: () =>
      read(() =>
        world
          .all('workers')
          .flatMap(({ projectId, capabilities }) =>
            capabilities.engines.map(({ name }) => ({ projectId, engine: name })),
          ),
      ),
    findDeclaredOutputs: (id) =>
      read(() => {
        const attempt = world.row('attempts', id);
        const spec = attempt === null ? null : world.row('taskSpecs', attempt.taskId);
        return spec?.spec.outputs ?? [];
      }),
    feedHead: () =>
      read(() => ({ pos: db.feed.length, incarnation: db.incarnation, nowMs: db.nowMs() })),
    raiseIncarnation: (from, to) => read(() => db.raiseIncarnation(from, to)),
    findEpochs: (ids) =>
      read(() => {
        const found = ids.flatMap((id) => world.row('attempts', id) ?? []);
        return new Map(found.map((it) => [it.id, it.epoch]));
      }),
    reads: {
      feedHead: () =>
        read(() => ({ pos: db.feed.length, incarnation: db.incarnation, nowMs: db.nowMs() })),
      feedFloor: () => read(() => 1),
      eventsAfter: (filter, pos, limit) =>
        read(() =>
          db.feed
            .slice(pos)
            .filter(({ event }) => event.type !== 'event.purged')
            .filter(({ event }) => event.projectId === filter.project)
            .slice(0, limit),
        ),
    },
    listPurgeable: (limit) => read(() => purgeable(db, limit)),
    purgeStep: (what) =>
      purgeStep(
        db,
        read,
        (statement) =>
          wire.call(async () => {
            const holder = { name: `${wire.replica} purge` };
            await db.locks.acquire(holder, `runs ${what.run}`);
            const gone = statement();
            db.locks.releaseAll(holder);
            return gone;
          }),
        what,
      ),
    purgeExpired: () => read(() => 0),
    maintain: () => read(() => undefined),
    loadAssignmentRows: (id) => read(() => assignmentRows(db, id)),
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
    },
  };
}

/** What a batch would find: as a transaction finds it, and then undone. */
function peekOf(db: SimDatabase, wire: Wire, loop: EventLoop): Peek {
  const tx = new MemoryTx(db, wire, loop);
  return {
    loadRows: (table, ids) => tx.loadRows(table, ids),
    loadList: (list, owners) => tx.loadList(list, owners),
    loadSlots: (workers) => tx.loadSlots(workers),
    candidates: async (project, needsIds, limit) => {
      const { rows } = await tx.lockCandidates(project, needsIds, limit);
      await tx.rollback();
      return rows;
    },
    freeSlots: async (project, limit) => {
      const slots = await tx.lockFreeSlots(project, limit);
      await tx.rollback();
      return slots;
    },
  };
}

function assignmentRows({ world }: SimDatabase, id: string): AssignmentRows | undefined {
  const attempt = world.row('attempts', id);
  if (attempt === null) return undefined;
  const task = world.row('tasks', attempt.taskId);
  const spec = world.row('taskSpecs', attempt.taskId);
  const run = world.row('runs', attempt.runId);
  if (task === null || spec === null || run === null) return undefined;
  const edgesIn = world.list('edgesIn', task.id);
  const upstreamTasks = [...new Set(edgesIn.map((it) => it.upstreamId))].flatMap(
    (it) => world.row('tasks', it) ?? [],
  );
  const earlier = world
    .list('attemptsOfTask', task.id)
    .filter((it: Tables['attempts']) => it.epoch < attempt.epoch)
    .sort((a, b) => b.epoch - a.epoch);
  return {
    attempt,
    task,
    spec,
    run,
    edgesIn,
    upstreamTasks,
    upstreamAttempts: upstreamTasks.flatMap((it) =>
      it.resultAttemptId === null ? [] : (world.row('attempts', it.resultAttemptId) ?? []),
    ),
    upstreamOutputs: upstreamTasks.flatMap((it) => world.list('outputsOfTask', it.id)),
    upstreamArtifacts: upstreamTasks
      .flatMap((it) => world.list('artifactsOfTask', it.id))
      .filter((it) => it.kind === 'bundle'),
    notes: world.list('notesOfTask', task.id),
    previousAttempt: earlier[0] ?? null,
  };
}
