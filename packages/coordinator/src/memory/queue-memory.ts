import type { ReadyRow } from '@baton/kernel';
import type { RowChange } from '@baton/store';

/** More rows of one queue are not remembered. */
const rowsMax = 20_000;
/** With fewer rows than this a queue that goes on is to be looked at again. */
const lowRows = 500;

/** One queue: the ready work of a project that has the same needs. */
export interface QueueName {
  readonly project: string;
  readonly needsId: string;
}

/** The head of one queue, or all of it. */
interface Remembered extends QueueName {
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
  /** These heads were found, fewer than `limit` are all; `since`: what batches changed after that. */
  found(
    queue: QueueName,
    rows: readonly ReadyRow[],
    limit: number,
    since?: readonly RowChange[],
  ): void;
  /** Queues that go on behind the few rows that are known. */
  low(): readonly QueueName[];
  /** A batch changed these rows. */
  take(changes: readonly RowChange[]): void;
  forget(): void;
  /** Rows that are kept, also of those that are gone. */
  readonly size: number;
}

/** Knows nothing at first. */
export function createQueueMemory(): QueueMemory {
  const queues = new Map<string, Remembered>();

  function queueOf(row: ReadyRow): Remembered | undefined {
    return queues.get(keyOf({ project: row.projectId, needsId: row.needsId }));
  }

  /** Answers whether the row is one of the heads. */
  function add(queue: Remembered, row: ReadyRow): boolean {
    if (row.held !== null) return false;
    if (queue.horizon !== null && compare(row, queue.horizon) > 0) return false;
    queue.rows.set(row.taskId, row);
    queue.sorted.push(row);
    return true;
  }

  /** Applies changes to all queues, or to one. */
  function apply(changes: readonly RowChange[], only?: Remembered): void {
    const grown = new Set<Remembered>();
    for (const { table, original, row } of changes) {
      if (table !== 'ready') continue;
      const [before, after] = [original as ReadyRow | null, row as ReadyRow | null];
      const left = before === null ? undefined : queueOf(before);
      if (before !== null && left !== undefined && (only ?? left) === left) {
        left.rows.delete(before.taskId);
      }
      const joined = after === null ? undefined : queueOf(after);
      if (after === null || joined === undefined || (only ?? joined) !== joined) continue;
      if (add(joined, after)) grown.add(joined);
    }
    for (const queue of grown) queue.sorted.sort(compare);
  }

  function dropGone(queue: Remembered): void {
    queue.sorted = queue.sorted.filter((it) => queue.rows.get(it.taskId) === it);
  }

  return {
    heads(project, needsId, limit) {
      const queue = queues.get(keyOf({ project, needsId }));
      if (queue === undefined) return null;
      const heads: ReadyRow[] = [];
      let gone = 0;
      for (const row of queue.sorted) {
        if (heads.length === limit) break;
        const isHead = queue.rows.get(row.taskId) === row && heads.at(-1) !== row;
        if (isHead) heads.push(row);
        else gone += 1;
      }
      if (gone > limit) dropGone(queue);
      return queue.horizon === null || heads.length === limit ? heads : null;
    },
    found({ project, needsId }, rows, limit, since = []) {
      const queue: Remembered = {
        project,
        needsId,
        rows: new Map(rows.map((row) => [row.taskId, row])),
        sorted: rows.toSorted(compare),
        horizon: rows.length < limit ? null : (rows.at(-1) ?? null),
      };
      queues.set(keyOf(queue), queue);
      apply(since, queue);
    },
    low: () => [...queues.values()].filter((it) => it.horizon !== null && it.rows.size < lowRows),
    take(changes) {
      apply(changes);
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

/** What a queue is known by. */
export const keyOf = ({ project, needsId }: QueueName): string => `${project} ${needsId}`;

function compare(a: ReadyRow, b: ReadyRow): number {
  return a.priority - b.priority || a.pass - b.pass || a.seq - b.seq;
}
