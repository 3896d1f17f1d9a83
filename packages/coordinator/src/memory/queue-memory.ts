import type { ReadyRow } from '@baton/kernel';
import type { RowChange } from '@baton/store';

/** More rows of one queue are not remembered. */
const rowsMax = 20_000;
/** The head of one queue, or all of it. */
interface Remembered {
  /** Rows by task; what is not here any more is skipped in `sorted`. */
  readonly rows: Map<string, ReadyRow>;
  sorted: ReadyRow[];
  /** The last row that is known to follow without a gap; null: all of the queue is known. */
  readonly horizon: ReadyRow | null;
}

/** Queues of ready work as the last batch left them, the best first. */
export interface QueueMemory {
  /** The first `limit` rows of a queue, or all that there are; null: not known. */
  heads(project: string, needsId: string, limit: number): ReadyRow[] | null;
  /** A batch found these heads; fewer than `limit` are all. */
  found(project: string, needsId: string, rows: readonly ReadyRow[], limit: number): void;
  /** A batch changed these rows. */
  take(changes: readonly RowChange[]): void;
  forget(): void;
  /** Rows that are kept, also of those that are gone. */
  readonly size: number;
}

/** Knows nothing at first. */
export function createQueueMemory(): QueueMemory {
  const queues = new Map<string, Remembered>();

  function remove(row: ReadyRow): void {
    queues.get(keyOf(row.projectId, row.needsId))?.rows.delete(row.taskId);
  }

  function add(row: ReadyRow): Remembered | undefined {
    const queue = queues.get(keyOf(row.projectId, row.needsId));
    if (queue === undefined || row.held !== null) return undefined;
    if (queue.horizon !== null && compare(row, queue.horizon) > 0) return undefined;
    queue.rows.set(row.taskId, row);
    queue.sorted.push(row);
    return queue;
  }

  function dropGone(queue: Remembered): void {
    queue.sorted = queue.sorted.filter((it) => queue.rows.get(it.taskId) === it);
  }

  return {
    heads(project, needsId, limit) {
      const queue = queues.get(keyOf(project, needsId));
      if (queue === undefined) return null;
      const heads: ReadyRow[] = [];
      let gone = 0;
      for (const row of queue.sorted) {
        if (heads.length === limit) break;
        if (queue.rows.get(row.taskId) === row) heads.push(row);
        else gone += 1;
      }
      if (gone > limit) dropGone(queue);
      return queue.horizon === null || heads.length === limit ? heads : null;
    },
    found(project, needsId, rows, limit) {
      queues.set(keyOf(project, needsId), {
        rows: new Map(rows.map((row) => [row.taskId, row])),
        sorted: rows.toSorted(compare),
        horizon: rows.length < limit ? null : (rows.at(-1) ?? null),
      });
    },
    take(changes) {
      const grown = new Set<Remembered>();
      for (const { table, original, row } of changes) {
        if (table !== 'ready') continue;
        if (original !== null) remove(original as ReadyRow);
        const queue = row === null ? undefined : add(row as ReadyRow);
        if (queue !== undefined) grown.add(queue);
      }
      for (const queue of grown) queue.sorted.sort(compare);
      for (const [key, queue] of queues) {
        if (queue.rows.size > rowsMax) queues.delete(key);
        else if (queue.sorted.length > 2 * rowsMax) dropGone(queue);
      }
    },
    forget: () => queues.clear(),
    get size() {
      return [...queues.values()].reduce((sum, { sorted }) => sum + sorted.length, 0);
    },
  };
}

const keyOf = (project: string, needsId: string): string => `${project} ${needsId}`;

function compare(a: ReadyRow, b: ReadyRow): number {
  return a.priority - b.priority || a.pass - b.pass || a.seq - b.seq;
}
