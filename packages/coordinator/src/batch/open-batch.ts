import { plan, type Context, type NewEvent, type WorkerRow } from '@baton/kernel';
import type { IdempotencyKey, IdempotentReply } from '@baton/store';
import type { Clock } from '../clock.ts';
import type { Catalogue } from '../dispatch/catalogue.ts';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import { sha256 } from '../ids.ts';
import type { Runtime } from '../runtime.ts';
import type { BatchReads, BatchStore, Opened } from '../store/batch-store.ts';
import type { Verdicts } from '../validation/verdicts.ts';
import { BatchWorld } from './batch-world.ts';
import {
  putDispatchReads,
  readForDispatch,
  type DispatchReads,
  type QueueHeads,
} from './load-candidates.ts';
import { loadNeeds, unmet } from './loader.ts';
import { namedIds, type NamedIds } from './locks.ts';
import type { Pending } from './pending.ts';
import type { RunCache } from '../memory/run-cache.ts';
import type { ReplicaMemory } from '../memory/replica-memory.ts';

/** What batches are decided and written with. */
export interface BatchPorts {
  readonly store: BatchStore;
  readonly runtime: Runtime;
  readonly verdicts: Verdicts;
  readonly catalogue: Catalogue;
  readonly memory: ReplicaMemory;
  readonly clock: Clock;
  readonly incarnation: number;
  readonly timing: Pick<Context, 'silentMs' | 'offlineMs' | 'heartbeatMs' | 'runSize'>;
}

/** A batch that is being decided. */
export interface Batch {
  readonly world: BatchWorld;
  readonly context: Context;
  readonly events: NewEvent[];
  readonly opened: Opened;
  /** Heads of queues that were looked at. */
  readonly heads: QueueHeads[];
  /** Answers stored before, and those this batch gives, by `idempotencyId`. */
  readonly repeated: ReadonlyMap<string, IdempotentReply>;
  readonly fresh: Map<string, IdempotencyKey & IdempotentReply>;
}

/** Takes the locks of a batch and loads what its commands will surely read. */
export async function openBatch(
  ports: BatchPorts,
  tx: BatchReads,
  items: readonly Pending[],
  targets: readonly DispatchTarget[],
  extraRuns: readonly string[],
): Promise<Batch> {
  const named = namedIds(items);
  const workers = [
    ...new Set([...named.workers, ...targets.flatMap((it) => it.workers.map((w) => w.worker))]),
  ].sort();
  const keys = items.flatMap((it) => (it.idempotency === undefined ? [] : [it.idempotency]));
  const { known, unknown } = resolveRuns(ports.memory.runs, named);
  const world = new BatchWorld(ports.memory.runs.open());
  const opening = tx.open({ ...named, ...unknown, workers, idempotency: keys });
  // Without names to resolve, the second locks need not wait for the answer to the first.
  const isResolved =
    unknown.tasks.length + unknown.attempts.length === 0 &&
    named.checkpoints.length + named.timers.length === 0;
  const early = [...new Set([...named.runs, ...known, ...extraRuns])].sort();
  const locking = isResolved ? lockRuns(tx, early) : undefined;
  const readAhead = () =>
    Promise.all([readTargets(tx, targets), readWorkers(ports.memory.runs, tx, named)]);
  const reading = locking === undefined ? undefined : readAhead();
  // They fail with the first; whoever waits for them is told by it.
  for (const one of [locking, reading]) one?.catch(() => undefined);
  const locked = await opening;
  const { clock } = ports;
  const nowMs = locked.nowMs === undefined ? clock.estimate() : clock.observe(locked.nowMs);
  const runs = [...new Set([...early, ...locked.runs])].sort();
  let queue = nowMs * 4096;
  const context: Context = {
    nowMs,
    incarnation: ports.incarnation,
    newId: ports.runtime.newId,
    random: ports.runtime.random,
    sha256,
    nextSeq: () => queue++,
    violations: ports.verdicts.violations,
    schemaFault: ports.verdicts.schemaFault,
    engines: ports.catalogue.engines,
    limitedKeys: ports.catalogue.limitedKeys,
    turnsOf: ports.catalogue.turnsOf,
    ...ports.timing,
  };
  world.runsLocked(await (locking ?? lockRuns(tx, runs)));
  const [reads, holders] = await (reading ?? readAhead());
  for (const [id, row] of holders) world.putLoaded('workers', id, row);
  targets.forEach((target, index) => {
    const found = reads[index];
    if (found !== undefined) putDispatchReads(world, target, found);
  });
  await loadPlans(ports, tx, world, items);
  return {
    world,
    context,
    events: [],
    opened: locked,
    heads: [],
    repeated: locked.repeated,
    fresh: new Map(),
  };
}

/** The runs of what is named, as far as they are remembered, and what must be looked up. */
function resolveRuns(
  cache: RunCache,
  named: NamedIds,
): {
  readonly known: readonly string[];
  readonly unknown: { readonly tasks: readonly string[]; readonly attempts: readonly string[] };
} {
  const known = new Set<string>();
  const unknownOf = (table: 'tasks' | 'attempts'): string[] =>
    named[table].filter((id) => {
      const run = cache.runOf(table, id);
      if (run !== undefined) known.add(run);
      return run === undefined;
    });
  const unknown = { tasks: unknownOf('tasks'), attempts: unknownOf('attempts') };
  return { known: [...known], unknown };
}

async function lockRuns(
  tx: BatchReads,
  runs: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  return runs.length === 0 ? new Map<string, number>() : tx.lockRuns(runs);
}

/** The workers that hold the attempts which a batch names, as far as is remembered. */
async function readWorkers(
  cache: RunCache,
  tx: BatchReads,
  named: NamedIds,
): Promise<ReadonlyMap<string, WorkerRow>> {
  const ids = new Set([
    ...named.workers,
    ...named.attempts.flatMap((id) => cache.workerOf(id) ?? []),
  ]);
  return ids.size === 0 ? new Map<string, WorkerRow>() : tx.loadRows('workers', [...ids]);
}

function readTargets(tx: BatchReads, targets: readonly DispatchTarget[]): Promise<DispatchReads[]> {
  return Promise.all(targets.map((target) => readForDispatch(tx, target)));
}

/** Loads ahead what the commands will surely read, until the plans name nothing new. */
async function loadPlans(
  ports: BatchPorts,
  tx: BatchReads,
  world: BatchWorld,
  items: readonly Pending[],
): Promise<void> {
  for (let round = 0; round < 8; round++) {
    const missing = unmet(
      world,
      items.flatMap((item) => plan(item.command, world)),
    );
    if (missing.length === 0) return;
    await loadNeeds(tx, world, ports.verdicts, missing);
  }
}
