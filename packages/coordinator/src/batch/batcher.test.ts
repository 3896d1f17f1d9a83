import type { Actor } from '@baton/contract';
import { sampleRow } from '@baton/testkit';
import { expect, test } from 'vitest';
import { createClock } from '../clock.ts';
import { createCatalogue } from '../dispatch/catalogue.ts';
import { createReplicaMemory } from '../memory/replica-memory.ts';
import { processRuntime } from '../runtime.ts';
import type { BatchStore, BatchTx, BatchWrites } from '../store/batch-store.ts';
import type { ServiceStore } from '../store/coordinator-store.ts';
import { createVerdicts } from '../validation/verdicts.ts';
import { createBatcher } from './batcher.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const workers = Array.from({ length: 5 }, (_, n) => sampleRow('workers', { id: `wrk_${n}` }));

test('who takes up what was written, and fails at it, keeps no answer back and has nothing written twice', async () => {
  const written: BatchWrites[] = [];
  const errors: unknown[] = [];
  let nextPos = 1;
  let ahead = 0;
  const place = (writes: BatchWrites) => {
    written.push(writes);
    const pos = nextPos;
    nextPos += writes.events.length;
    const feed = { nextPos, incarnation: 1, mark: writes.mark };
    return Promise.resolve({ pos, atMs: writes.nowMs, feed });
  };
  const tx: Partial<BatchTx> = {
    // All are locked and read at once, so that those behind the first ones are remembered.
    open: () =>
      Promise.resolve({
        nowMs: 5_000,
        runs: [],
        repeated: new Map(),
        workers: new Map(workers.map((it) => [it.id, 0])),
      }),
    loadRows: () => Promise.resolve(new Map(workers.map((it) => [it.id, it]))) as never,
    commit: place,
    rollback: () => Promise.resolve(),
  };
  const store: Partial<BatchStore> = {
    transaction: (work) => work(tx as BatchTx),
    write(_, writes) {
      ahead += 1;
      return place(writes);
    },
  };
  const batcher = createBatcher({
    ports: {
      store: store as BatchStore,
      runtime: processRuntime,
      verdicts: createVerdicts({} as never),
      catalogue: createCatalogue({} as ServiceStore, ['shell']),
      memory: createReplicaMemory({ error: () => undefined }),
      clock: createClock(processRuntime.monotonicMs, processRuntime.wallMs),
      incarnation: 1,
      timing: { silentMs: 1, offlineMs: 1, heartbeatMs: 1 },
    },
    log: { debug() {}, info() {}, warn() {}, error: (it: unknown) => errors.push(it) },
    targets: () => [],
    decided() {
      throw new Error('as the test says');
    },
    committed() {
      throw new Error('as the test says');
    },
  });
  for (const { id: worker } of workers) {
    const command = { type: 'worker.leaving', project: 'prj_1', actor, worker } as const;
    expect(await batcher.submit(command)).toEqual({ worker });
  }
  await batcher.drain();
  expect(written.flatMap((it) => it.events)).toHaveLength(workers.length);
  expect(ahead).toBe(workers.length - 2);
  expect(errors).toHaveLength(workers.length + ahead);
});
