import type { Log } from '../log.ts';
import type { BatchStore } from '../store/batch-store.ts';
import { keyOf, type QueueName } from './queue-memory.ts';
import type { ReplicaMemory } from './replica-memory.ts';

/** As far as this a queue is looked at when little or nothing is remembered of it. */
export const seenMax = 1_000;

interface RefillPorts {
  readonly store: Pick<BatchStore, 'peek'>;
  readonly memory: ReplicaMemory;
  readonly log: Pick<Log, 'debug'>;
}

/** Has queues of which little is left in memory read on, beside the batches that go on meanwhile. */
export function createQueueRefill({ store, memory, log }: RefillPorts): () => void {
  const underWay = new Set<string>();

  async function read(queue: QueueName): Promise<void> {
    const [end, rows] = await store.peek(async (tx) => {
      // The end first: what batches change after it is known here, whether or not the rows show it.
      const seen = await tx.feed();
      return [seen, await tx.candidates(queue.project, [queue.needsId], seenMax)] as const;
    });
    memory.sawQueue(end, queue, rows, seenMax);
  }

  return () => {
    for (const queue of memory.queue.low()) {
      const key = keyOf(queue);
      if (underWay.has(key)) continue;
      underWay.add(key);
      read(queue)
        .catch((error: unknown) => log.debug({ error }, 'a queue could not be read on'))
        .finally(() => underWay.delete(key));
    }
  };
}
