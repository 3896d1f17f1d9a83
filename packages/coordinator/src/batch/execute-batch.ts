import { AppError, toAppError } from '@baton/contract';
import {
  decide,
  plan,
  type Context,
  type NewEvent,
  type Reply,
  type TimerRow,
} from '@baton/kernel';
import {
  idempotencyId,
  type EventPlace,
  type IdempotencyKey,
  type IdempotentReply,
  type RowChange,
  StoreError,
} from '@baton/store';
import type { Clock } from '../clock.ts';
import { sha256 } from '../ids.ts';
import type { Runtime } from '../runtime.ts';
import type { BatchStore, BatchTx } from '../store/batch-store.ts';
import type { Catalogue } from '../dispatch/catalogue.ts';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import type { Verdicts } from '../validation/verdicts.ts';
import { BatchWorld } from './batch-world.ts';
import { loadCandidates } from './load-candidates.ts';
import { loadNeeds, unmet } from './loader.ts';
import { namedIds } from './locks.ts';
import type { Outcome, Pending } from './pending.ts';

/** Rounds of "decide, load what was missing" after which a decision is taken for a bug. */
const decideRoundsMax = 40;

/** What batches are decided and written with. */
export interface BatchPorts {
  readonly store: BatchStore;
  readonly runtime: Runtime;
  readonly verdicts: Verdicts;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly incarnation: number;
  readonly timing: Pick<Context, 'silentMs' | 'offlineMs' | 'heartbeatMs'>;
}

/** What a batch did, once it is committed. */
export interface BatchResult {
  readonly outcomes: readonly Outcome[];
  readonly events: readonly NewEvent[];
  /** Position of the first event; positions are dense. */
  readonly firstPos: number;
  readonly writes: readonly RowChange[];
  readonly dispatches: readonly { readonly target: DispatchTarget; readonly reply: Reply }[];
}

/** Thrown inside a batch that turned out to need more locks; it runs again with them. */
export class MoreLocks extends Error {
  readonly runs: readonly string[];
  constructor(runs: readonly string[]) {
    super(`a batch needs the locks of ${runs.length} more runs`);
    this.runs = runs;
  }
}

/** The answer to COMMIT is missing. Carries what the batch did if it was committed. */
export class UnknownCommit extends Error {
  readonly xid: string | undefined;
  readonly done: Omit<BatchResult, 'firstPos'>;
  constructor(xid: string | undefined, done: Omit<BatchResult, 'firstPos'>) {
    super('the connection was lost before COMMIT was answered');
    this.xid = xid;
    this.done = done;
  }
}

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
  return ports.store.transaction(async (tx) => {
    const batch = await openBatch(ports, tx, items, targets, extraRuns);
    const outcomes: Outcome[] = [];
    for (const item of items) outcomes.push(await runCommand(ports, tx, batch, item));
    const dispatches = await runDispatches(ports, tx, batch, targets);
    return commitBatch(tx, batch, outcomes, dispatches);
  });
}

interface Batch {
  readonly world: BatchWorld;
  readonly context: Context;
  readonly events: NewEvent[];
  readonly lockedRuns: Set<string>;
  /** Answers stored before, and those this batch gives, by `idempotencyId`. */
  readonly repeated: ReadonlyMap<string, IdempotentReply>;
  readonly fresh: Map<string, IdempotencyKey & IdempotentReply>;
}

async function openBatch(
  ports: BatchPorts,
  tx: BatchTx,
  items: readonly Pending[],
  targets: readonly DispatchTarget[],
  extraRuns: readonly string[],
): Promise<Batch> {
  const named = namedIds(items);
  const workers = [
    ...new Set([...named.workers, ...targets.flatMap((it) => it.workers.map((w) => w.worker))]),
  ].sort();
  const keys = items.flatMap((it) => (it.idempotency === undefined ? [] : [it.idempotency]));
  const locked = await tx.open({ ...named, workers, idempotency: keys });
  const nowMs = ports.clock.observe(locked.nowMs);
  const runs = [...new Set([...named.runs, ...locked.runs, ...extraRuns])].sort();
  const world = new BatchWorld();
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
    passOf: ports.catalogue.passOf,
    ...ports.timing,
  };
  const first = items.flatMap((item) => plan(item.command, world));
  await Promise.all([
    runs.length === 0 ? undefined : tx.lockRuns(runs),
    loadNeeds(tx, world, ports.verdicts, unmet(world, first)),
  ]);
  await loadPlans(ports, tx, world, items);
  return {
    world,
    context,
    events: [],
    lockedRuns: new Set(runs),
    repeated: locked.repeated,
    fresh: new Map(),
  };
}

/** Loads ahead what the commands will surely read, until the plans name nothing new. */
async function loadPlans(
  ports: BatchPorts,
  tx: BatchTx,
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

async function runCommand(
  ports: BatchPorts,
  tx: BatchTx,
  batch: Batch,
  item: Pending,
): Promise<Outcome> {
  const { command, idempotency } = item;
  if (command.type === 'work.dispatch') {
    const { project, workers } = command;
    await loadFor(ports, tx, batch, { project, workers, searchStored: true });
  }
  if (idempotency === undefined) return decideWhole(ports, tx, batch, command);
  const id = idempotencyId(idempotency);
  const before = batch.repeated.get(id) ?? batch.fresh.get(id);
  if (before !== undefined) return repeat(before, idempotency.requestSha256);
  const outcome = await decideWhole(ports, tx, batch, command);
  if (outcome.kind === 'done') batch.fresh.set(id, { ...idempotency, reply: outcome.reply });
  return outcome;
}

function repeat(before: IdempotentReply, requestSha256: string): Outcome {
  if (before.requestSha256 === requestSha256) return { kind: 'done', reply: before.reply };
  return {
    kind: 'refused',
    error: new AppError(
      'idempotency_conflict',
      'This Idempotency-Key was used with another body; use a new key for a new request.',
    ),
  };
}

/** Decides one command, loading what turns out to be missing, and lays its changes over the world. */
async function decideWhole(
  ports: BatchPorts,
  tx: BatchTx,
  batch: Batch,
  command: Pending['command'],
): Promise<Outcome> {
  for (let round = 0; round < decideRoundsMax; round++) {
    const decision = decide(batch.world, command, batch.context);
    if (decision.kind === 'refused') {
      return { kind: 'refused', error: toAppError(decision.refusal) };
    }
    if (decision.kind === 'accepted') {
      batch.world.apply(decision.changes);
      batch.events.push(...decision.events);
      return { kind: 'done', reply: decision.reply };
    }
    await loadNeeds(tx, batch.world, ports.verdicts, unmet(batch.world, decision.needs));
  }
  throw new Error(`deciding ${command.type} asked for more ${decideRoundsMax} times over`);
}

/** Hands ready work to waiting workers: in the commit that made the work, when it is this one. */
async function runDispatches(
  ports: BatchPorts,
  tx: BatchTx,
  batch: Batch,
  targets: readonly DispatchTarget[],
): Promise<BatchResult['dispatches']> {
  const done: { target: DispatchTarget; reply: Reply }[] = [];
  for (const target of targets) {
    const fresh = [...batch.world.changed('ready').values()].some(
      (row) => row !== null && row.held === null && row.projectId === target.project,
    );
    if (!fresh && !target.searchStored) continue;
    await loadFor(ports, tx, batch, target);
    const outcome = await decideWhole(ports, tx, batch, {
      type: 'work.dispatch',
      project: target.project,
      actor: { kind: 'kernel', id: null, name: null },
      workers: target.workers,
    });
    if (outcome.kind === 'done') done.push({ target, reply: outcome.reply });
  }
  return done;
}

/** Loads what a dispatch decides by; what was locked with it may be written. */
async function loadFor(
  ports: BatchPorts,
  tx: BatchTx,
  { world, context, lockedRuns }: Batch,
  target: DispatchTarget,
): Promise<void> {
  const loading = { catalogue: ports.catalogue, world, nowMs: context.nowMs };
  for (const run of await loadCandidates(tx, loading, target)) lockedRuns.add(run);
}

async function commitBatch(
  tx: BatchTx,
  batch: Batch,
  outcomes: readonly Outcome[],
  dispatches: BatchResult['dispatches'],
): Promise<BatchResult> {
  const writes = batch.world.writes();
  checkLocks(batch, writes);
  const idempotent = [...batch.fresh.values()];
  const { events } = batch;
  if (writes.length + idempotent.length + events.length === 0) {
    await tx.rollback();
    return { outcomes, events: [], firstPos: 0, writes, dispatches };
  }
  const done = { outcomes, events, writes, dispatches };
  const { nowMs } = batch.context;
  const place = await tx
    .commit({ rows: writes, idempotent, events, nowMs })
    .catch((error: unknown) => {
      throw error instanceof StoreError && error.kind === 'unknown_outcome'
        ? new UnknownCommit(error.xid, done)
        : error;
    });
  return placed(done, place);
}

/** A batch's result once it is known where its events stand; told with the times that the feed has. */
export function placed(
  done: Omit<BatchResult, 'firstPos'>,
  place: EventPlace | undefined,
): BatchResult {
  if (place === undefined) return { ...done, events: [], firstPos: 0 };
  const { pos, atMs } = place;
  const isLater = done.events.some((event) => event.atMs !== atMs);
  const events = isLater ? done.events.map((event) => ({ ...event, atMs })) : done.events;
  return { ...done, events, firstPos: pos };
}

/** Each changed row of a run is covered by that run's lock; a run made in this batch needs none. */
function checkLocks(batch: Batch, writes: readonly RowChange[]): void {
  const missing = new Set<string>();
  for (const write of writes) {
    const row = write.row ?? write.original;
    const runId =
      write.table === 'runs' ? write.id : row !== null && 'runId' in row ? row.runId : undefined;
    if (runId === undefined || runId === null || batch.lockedRuns.has(runId)) continue;
    const made = writes.some(
      (it) => it.table === 'runs' && it.id === runId && it.original === null,
    );
    if (!made) missing.add(runId);
  }
  if (missing.size > 0) throw new MoreLocks([...missing]);
}

/** Due times of timers that a batch set, so that the timer service can wake in time. */
export function timersSet(writes: readonly RowChange[]): number[] {
  return writes.flatMap((write) =>
    write.table === 'timers' && write.row !== null ? [(write.row as TimerRow).dueAtMs] : [],
  );
}
