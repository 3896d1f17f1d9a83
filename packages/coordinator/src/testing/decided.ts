import type { Change, NewEvent } from '@baton/kernel';
import { BatchWorld } from '../batch/batch-world.ts';
import type { DecidedBatch } from '../batch/decide-batch.ts';
import type { QueueHeads } from '../batch/load-candidates.ts';

/** What a made-up batch read and did. */
export interface MadeUp {
  /** Worker rows it locked, with how often they were changed before. */
  readonly workers?: ReadonlyMap<string, number>;
  /** Runs it locked, with their versions. */
  readonly runs?: ReadonlyMap<string, number>;
  readonly changedRuns?: readonly string[];
  readonly load?: (world: BatchWorld) => void;
  readonly changes?: readonly Change[];
  readonly heads?: readonly QueueHeads[];
  /** How many events it told. */
  readonly events?: number;
}

const event = { type: 'worker.updated' } as NewEvent;

/** A batch as `ReplicaMemory.learn` takes it, made of what a test says. */
export function decided(it: MadeUp): DecidedBatch {
  const world = new BatchWorld();
  if (it.runs !== undefined) world.runsLocked(it.runs);
  it.load?.(world);
  world.apply(it.changes ?? []);
  const opened = { nowMs: 1, runs: [], repeated: new Map(), workers: it.workers ?? new Map() };
  const batch = { world, opened, heads: it.heads ?? [], repeated: new Map(), fresh: new Map() };
  const events = Array.from({ length: it.events ?? 0 }, () => event);
  return {
    batch: { ...batch, events, context: {} } as unknown as DecidedBatch['batch'],
    done: { outcomes: [], events, writes: world.writes(), dispatches: [] },
    changedRuns: new Set(it.changedRuns),
    idempotent: [],
  };
}
