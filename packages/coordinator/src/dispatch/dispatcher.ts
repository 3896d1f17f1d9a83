import type { CommandOf } from '@baton/contract';
import { takesSlot, type AttemptRow, type WorkerRow } from '@baton/kernel';
import type { RowChange } from '@baton/store';
import type { BatchResult } from '../batch/execute-batch.ts';

/** Workers of one project that wait for work, as a batch is to serve them. */
export interface DispatchTarget {
  readonly project: string;
  readonly workers: CommandOf<'work.dispatch'>['workers'];
  /** Whether stored work may fit them; false: only what the batch itself makes ready. */
  readonly searchStored: boolean;
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
}

/** Nobody waits at first. */
export function createDispatcher(): Dispatcher {
  const parked = new Map<string, Parked>();
  /** Projects where stored ready work may wait for a free slot of a parked worker. */
  const search = new Set<string>();

  function noteFreed(writes: readonly RowChange[]): boolean {
    let freed = false;
    for (const write of writes) {
      if (write.table === 'attempts') {
        const before = write.original as AttemptRow | null;
        const after = write.row as AttemptRow | null;
        const held = before !== null && takesSlot(before);
        if (held && (after === null || !takesSlot(after))) {
          search.add(before.projectId);
          freed = true;
        }
      }
      if (write.table === 'workers' && write.row !== null) {
        const after = write.row as WorkerRow;
        if (canTakeMore(write.original as WorkerRow | null, after)) {
          search.add(after.projectId);
          freed = true;
        }
      }
    }
    return freed;
  }

  return {
    park(worker, project, max, polling) {
      parked.set(worker, { project, max, polling });
      search.add(project);
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
      }));
    },
    learn(result) {
      for (const { target, reply } of result.dispatches) {
        if (target.searchStored && (reply.claimed ?? []).length === 0)
          search.delete(target.project);
      }
      const freed = noteFreed(result.writes);
      const handedOut = result.dispatches.some((it) => (it.reply.claimed ?? []).length > 0);
      return parked.size > 0 && (freed || (handedOut && search.size > 0));
    },
  };
}

/** Whether what changed of a worker could make it fit for work that it did not fit before. */
function canTakeMore(before: WorkerRow | null, after: WorkerRow): boolean {
  return (
    before === null ||
    before.incarnation !== after.incarnation ||
    before.draining !== after.draining ||
    before.leaving !== after.leaving ||
    before.slots < after.slots ||
    before.capabilities !== after.capabilities ||
    before.labels !== after.labels
  );
}
