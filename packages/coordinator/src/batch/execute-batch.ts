import { StoreError } from '@baton/store';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import type { BatchTx } from '../store/batch-store.ts';
import { MoreLocks, placed, UnknownCommit, type BatchResult } from './batch-result.ts';
import { decideBatch, type DecidedBatch } from './decide-batch.ts';
import type { BatchPorts } from './open-batch.ts';
import type { Pending } from './pending.ts';

/**
 * One batch, one transaction: lock, load, decide each command seeing what those before it did, write
 * the difference, number the events. Resolves only after COMMIT was answered. Rejects with nothing done.
 */
export function executeBatch(
  ports: BatchPorts,
  items: readonly Pending[],
  targets: readonly DispatchTarget[],
  extraRuns: readonly string[],
): Promise<BatchResult> {
  const done = ports.store.transaction(async (tx) =>
    commitBatch(ports, tx, await decideBatch(ports, tx, items, targets, extraRuns)),
  );
  return done.catch((error: unknown) => {
    // Behind a lost connection there may be another database than before: one that was restored.
    if (!(error instanceof MoreLocks)) ports.memory.forget();
    throw error;
  });
}

async function commitBatch(
  ports: BatchPorts,
  tx: BatchTx,
  decided: DecidedBatch,
): Promise<BatchResult> {
  const { done, idempotent, changedRuns } = decided;
  const { events, writes } = done;
  if (writes.length + idempotent.length + events.length === 0) {
    await tx.rollback();
    ports.memory.learn(decided, undefined);
    return { ...done, firstPos: 0 };
  }
  const { nowMs } = decided.batch.context;
  const mark = ports.runtime.newId('mark');
  const place = await tx
    .commit({ rows: writes, idempotent, events, nowMs, changedRuns, mark })
    .catch((error: unknown) => {
      throw error instanceof StoreError && error.kind === 'unknown_outcome'
        ? new UnknownCommit(error.xid, done, error)
        : error;
    });
  ports.memory.learn(decided, place?.feed);
  return placed(done, place);
}
