import type { CommandOf } from '@baton/contract';
import {
  takesSlot,
  type AttemptRow,
  type BudgetRow,
  type LimitRow,
  type ParkingRow,
  type WorkerRow,
} from '@baton/kernel';
import type { RowChange } from '@baton/store';
import type { BatchResult } from '../batch/batch-result.ts';

/** Workers of one project that wait for work, as a batch is to serve them. */
export interface DispatchTarget {
  readonly project: string;
  readonly workers: CommandOf<'work.dispatch'>['workers'];
  /** Whether stored work may fit them; false: only what the batch itself makes ready. */
  readonly searchStored: boolean;
  /** The wish for a search that it serves: a later one is not met by what it does not find. */
  readonly wish?: number | undefined;
}

interface Parked {
  readonly project: string;
  readonly max: number;
  readonly polling: boolean;
}

/**
 * Remembers who waits for work, so that each batch can hand out what it makes ready in its own commit,
 * and stored work is searched only when some may be there. Only latency rests on it, never truth.
 */
export interface Dispatcher {
  /**
   * The worker waits for up to `max` more tasks until it is unparked; asked again, `max` is replaced.
   * `polling`: it waits in an HTTP call, without a link.
   */
  park(worker: string, project: string, max: number, polling: boolean): void;
  readonly unpark: (worker: string) => void;
  readonly targets: () => readonly DispatchTarget[];
  /** Takes up a committed batch. Answers whether another batch should follow at once. */
  learn(result: BatchResult): boolean;
  /** When what is shut in some project opens by itself, epoch milliseconds; `open` is due then. */
  readonly opensAtMs: () => number | null;
  /** Has stored work searched where something has opened by now. Answers whether there is such a place. */
  open(nowMs: number): boolean;
  /** Has all stored work searched: other replicas make work too. Answers whether anybody waits for it. */
  searchAll(): boolean;
  /** The same in some projects. Answers whether anybody waits for work of one of them. */
  searchIn(projects: ReadonlySet<string>): boolean;
}

/** Nobody waits at first. */
export function createDispatcher(): Dispatcher {
  const parked = new Map<string, Parked>();
  /**
   * Projects where stored ready work may wait for a free slot of a parked worker, each with the number of
   * the wish that it be searched.
   */
  const search = new Map<string, number>();
  let wishes = 0;
  const wish = (project: string): void => {
    wishes += 1;
    search.set(project, wishes);
  };

  /** When the first of what is shut in a project opens. */
  const opens = new Map<string, number>();

  function noteFreed(writes: readonly RowChange[]): boolean {
    let freed = false;
    for (const write of writes) {
      if (write.table === 'attempts') {
        const before = write.original as AttemptRow | null;
        const after = write.row as AttemptRow | null;
        const held = before !== null && takesSlot(before);
        if (held && (after === null || !takesSlot(after))) {
          wish(before.projectId);
          freed = true;
        }
      }
      const opened = projectOpened(write);
      if (opened !== null) {
        wish(opened);
        freed = true;
      }
      if (write.table === 'workers' && write.row !== null) {
        const after = write.row as WorkerRow;
        if (canTakeMore(write.original as WorkerRow | null, after)) {
          wish(after.projectId);
          freed = true;
        }
      }
    }
    return freed;
  }

  return {
    park(worker, project, max, polling) {
      parked.set(worker, { project, max, polling });
      wish(project);
    },
    unpark(worker) {
      parked.delete(worker);
    },
    targets() {
      const byProject = new Map<string, { worker: string; max: number; polling: boolean }[]>();
      for (const [worker, it] of parked) {
        if (it.max <= 0) continue;
        const list = byProject.get(it.project) ?? [];
        list.push({ worker, max: it.max, polling: it.polling });
        byProject.set(it.project, list);
      }
      return [...byProject].map(([project, workers]) => ({
        project,
        workers,
        searchStored: search.has(project),
        wish: search.get(project),
      }));
    },
    learn(result) {
      for (const { target, reply } of result.dispatches) {
        const isFruitless = (reply.claimed ?? []).length === 0 && reply.again !== true;
        const isLastWish = search.get(target.project) === target.wish;
        if (target.searchStored && isFruitless && isLastWish) search.delete(target.project);
        if (reply.againAtMs === undefined) opens.delete(target.project);
        else opens.set(target.project, reply.againAtMs);
      }
      const freed = noteFreed(result.writes);
      const handedOut = result.dispatches.some(
        ({ reply }) => (reply.claimed ?? []).length > 0 || reply.again === true,
      );
      return parked.size > 0 && (freed || (handedOut && search.size > 0));
    },
    opensAtMs: () => (opens.size === 0 ? null : Math.min(...opens.values())),
    open(nowMs) {
      let hasOpened = false;
      for (const [project, atMs] of opens) {
        if (atMs > nowMs) continue;
        opens.delete(project);
        wish(project);
        hasOpened = true;
      }
      return hasOpened;
    },
    searchAll() {
      for (const { project } of parked.values()) wish(project);
      return parked.size > 0;
    },
    searchIn(projects) {
      let isWaitedFor = false;
      for (const { project, max } of parked.values()) {
        if (max <= 0 || !projects.has(project)) continue;
        wish(project);
        isWaitedFor = true;
      }
      return isWaitedFor;
    },
  };
}

/** The project in which work may start by a change of what holds it back, or null. */
function projectOpened({ table, original, row }: RowChange): string | null {
  switch (table) {
    case 'limits': {
      const [before, after] = [original, row] as [LimitRow | null, LimitRow | null];
      const isSet = before?.updatedAtMs !== after?.updatedAtMs;
      return isSet ? ((after ?? before)?.projectId ?? null) : null;
    }
    case 'parkings':
      return row === null ? ((original as ParkingRow | null)?.projectId ?? null) : null;
    case 'budgets': {
      const [before, after] = [original, row] as [BudgetRow | null, BudgetRow | null];
      return leftOf(after) > leftOf(before) ? ((after ?? before)?.projectId ?? null) : null;
    }
    default:
      return null;
  }
}

function leftOf(budget: BudgetRow | null): number {
  if (budget === null) return Number.POSITIVE_INFINITY;
  return budget.limitMicros - budget.spentMicros - budget.reservedMicros;
}

/** Whether what changed of a worker could make it fit for work that it did not fit before. */
function canTakeMore(before: WorkerRow | null, after: WorkerRow): boolean {
  return (
    before === null ||
    before.incarnation !== after.incarnation ||
    before.draining !== after.draining ||
    before.presence !== after.presence ||
    before.leaving !== after.leaving ||
    before.slots < after.slots ||
    before.capabilities !== after.capabilities ||
    before.labels !== after.labels
  );
}
