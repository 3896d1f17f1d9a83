import { LISTS, type ReadyRow, type SlotRow, type WorkerRow } from '@baton/kernel';
import type { RowChange } from '@baton/store';
import type { DecidedBatch } from '../batch/decide-batch.ts';
import type { Log } from '../log.ts';
import type { FeedState } from '../store/batch-store.ts';
import { createQueueMemory, type QueueMemory, type QueueName } from './queue-memory.ts';
import { createRunCache, type RunCache } from './run-cache.ts';

/** Batches that are kept in mind, so that what was seen before them can be brought up to now. */
const journalMax = 64;

/** Where the feed ended behind a batch, and what that batch changed of the queues. */
interface JournalEntry {
  readonly mark: string;
  readonly changes: readonly RowChange[];
}

/** A worker's row, and how often it was changed. */
export interface KnownWorker {
  readonly row: WorkerRow;
  readonly changes: number;
}

/**
 * What this replica remembers of what its batches read and wrote, as of the last one: also of one that
 * was sent and is not answered yet. It is true as long as nobody else tells events: whoever decides by it
 * has that checked where it writes (`Premises`).
 */
export interface ReplicaMemory {
  /** Rows of runs; true under a run's version, whatever the feed says. */
  readonly runs: RunCache;
  readonly queue: QueueMemory;
  /** The end of the feed; undefined: nothing but `runs` is remembered. */
  readonly feed: FeedState | undefined;
  /** Nobody else told events between the last two batches. */
  readonly isSteady: boolean;
  /** Raised whenever something was forgotten: what was read before it is not to be trusted. */
  readonly age: number;
  worker(id: string): KnownWorker | undefined;
  /** The open attempts of a worker; undefined: not known. */
  slotsOf(worker: string): readonly SlotRow[] | undefined;
  /** Whether a project has no limits, nothing parked and no budget of its own, for all that is known. */
  isUnlimited(project: string): boolean;
  /** Takes up a batch, and where the feed ends behind it; undefined: it told no events. Never throws. */
  learn(batch: DecidedBatch, feed: FeedState | undefined): void;
  /**
   * Takes up the head of a queue that was seen, without locks, after the feed was seen to end there: as it
   * is with what batches changed since. Does nothing when that is too long ago, or others wrote.
   */
  sawQueue(end: FeedState, queue: QueueName, rows: readonly ReadyRow[], limit: number): void;
  /** Somebody else may have told events: only what is checked under a run's lock is still believed. */
  doubt(): void;
  /** Forgets everything: what was taken for done may not be. */
  forget(): void;
}

/** Knows nothing at first. */
export function createReplicaMemory(log: Pick<Log, 'error'>): ReplicaMemory {
  const runs = createRunCache();
  const queue = createQueueMemory();
  const workers = new Map<string, KnownWorker>();
  const slots = new Map<string, Map<string, SlotRow>>();
  const unlimited = new Set<string>();
  let journal: JournalEntry[] = [];
  let feed: FeedState | undefined;
  let isSteady = false;
  let age = 0;

  function doubt(): void {
    age += 1;
    feed = undefined;
    isSteady = false;
    queue.forget();
    workers.clear();
    slots.clear();
    unlimited.clear();
    journal = [];
  }

  function takeWorkers({ batch: { opened, world }, done: { writes } }: DecidedBatch): void {
    const changed = new Set<string>();
    for (const { table, id, row } of writes) {
      if (table !== 'workers') continue;
      changed.add(id);
      // Without its lock nobody knows how often it was changed.
      if (row === null || !opened.workers.has(id)) workers.delete(id);
    }
    for (const [id, before] of opened.workers) {
      const row = world.row('workers', id);
      if (row === undefined) workers.delete(id);
      else if (row !== null) workers.set(id, { row, changes: before + (changed.has(id) ? 1 : 0) });
    }
  }

  function takeSlots({ batch: { world }, done: { writes } }: DecidedBatch): void {
    for (const { table, id, original, row } of writes) {
      if (table !== 'attempts') continue;
      for (const worker of ownersOf(original)) slots.get(worker)?.delete(id);
      for (const worker of ownersOf(row)) slots.get(worker)?.set(id, row as SlotRow);
    }
    for (const worker of world.listed('slotsOfWorker')) {
      const rows = world.list('slotsOfWorker', worker) ?? [];
      slots.set(worker, new Map(rows.map((it) => [it.id, it])));
    }
  }

  function takeSettings({ batch: { world }, done: { writes } }: DecidedBatch): void {
    for (const project of world.listed('limitsOfProject')) {
      const isOpen =
        world.list('limitsOfProject', project)?.length === 0 &&
        world.list('parkingsOfProject', project)?.length === 0 &&
        world.row('budgets', project) === null;
      if (isOpen) unlimited.add(project);
      else unlimited.delete(project);
    }
    for (const { table, id, original, row } of writes) {
      const side = row ?? original;
      if (side === null) continue;
      const isSetting = table === 'limits' || table === 'parkings';
      // The project's own budget is known by its id.
      if (isSetting || (table === 'budgets' && id === side.projectId)) {
        unlimited.delete(side.projectId);
      }
    }
  }

  function takeQueues({ batch: { heads }, done: { writes } }: DecidedBatch): void {
    for (const { project, needsIds, limit, rows } of heads) {
      for (const needsId of needsIds) {
        const own = rows.filter((it) => it.needsId === needsId);
        queue.found({ project, needsId }, own, limit);
      }
    }
    queue.take(writes);
  }

  function take(decided: DecidedBatch, after: FeedState | undefined): void {
    const { batch, changedRuns, done } = decided;
    runs.learn(batch.world.learned(done.writes, changedRuns));
    if (after !== undefined && !isNext(feed, after, done.events.length)) {
      doubt();
      feed = after;
      journal = [{ mark: after.mark, changes: [] }];
      return;
    }
    // Whatever else was told meanwhile makes what is known of the feed wrong, and nothing is decided by it.
    if (feed === undefined) return;
    isSteady = true;
    feed = after ?? feed;
    takeWorkers(decided);
    takeSlots(decided);
    takeSettings(decided);
    takeQueues(decided);
    const changes = done.writes.filter((it) => it.table === 'ready');
    journal.push({ mark: feed.mark, changes });
    if (journal.length > journalMax) journal.shift();
  }

  function forget(): void {
    doubt();
    runs.clear();
  }

  return {
    runs,
    queue,
    get feed() {
      return feed;
    },
    get isSteady() {
      return isSteady;
    },
    get age() {
      return age;
    },
    worker: (id) => workers.get(id),
    slotsOf(worker) {
      const known = slots.get(worker);
      return known === undefined ? undefined : [...known.values()];
    },
    isUnlimited: (project) => unlimited.has(project),
    learn(decided, after) {
      try {
        take(decided, after);
      } catch (error) {
        // The batch is written: what goes wrong here must not have it done again.
        log.error({ error }, 'what a batch did could not be remembered');
        forget();
      }
    },
    sawQueue(end, name, rows, limit) {
      if (feed?.incarnation !== end.incarnation) return;
      const at = journal.findIndex((it) => it.mark === end.mark);
      if (at < 0) return;
      const since = journal.slice(at + 1).flatMap((it) => it.changes);
      queue.found(name, rows, limit, since);
    },
    doubt,
    forget,
  };
}

/** Whether a batch told its events right behind what is known of the feed. */
function isNext(before: FeedState | undefined, after: FeedState, events: number): boolean {
  return (
    before !== undefined &&
    before.nextPos === after.nextPos - events &&
    before.incarnation === after.incarnation
  );
}

function ownersOf(attempt: RowChange['row']): readonly string[] {
  return attempt === null ? [] : LISTS.slotsOfWorker.owners(attempt as never);
}
