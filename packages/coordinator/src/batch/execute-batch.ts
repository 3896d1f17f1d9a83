import { AppError, toAppError } from '@baton/contract';
import {
  decide,
  plan,
  type Context,
  type Decision,
  type NewEvent,
  type Reply,
  type WorkerRow,
} from '@baton/kernel';
import {
  idempotencyId,
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
import { MoreLocks, placed, UnknownCommit, type BatchResult } from './batch-result.ts';
import { BatchWorld } from './batch-world.ts';
import {
  isUnlimited,
  loadCandidates,
  putDispatchReads,
  readForDispatch,
  type DispatchReads,
} from './load-candidates.ts';
import { loadNeeds, unmet } from './loader.ts';
import { namedIds, type NamedIds } from './locks.ts';
import type { Outcome, Pending } from './pending.ts';
import { runIdOf, type RunCache } from './run-cache.ts';

/** Rounds of "decide, load what was missing" after which a decision is taken for a bug. */
const decideRoundsMax = 40;

/** What batches are decided and written with. */
export interface BatchPorts {
  readonly store: BatchStore;
  readonly runtime: Runtime;
  readonly verdicts: Verdicts;
  readonly catalogue: Catalogue;
  readonly cache: RunCache;
  readonly clock: Clock;
  readonly incarnation: number;
  readonly timing: Pick<Context, 'silentMs' | 'offlineMs' | 'heartbeatMs' | 'runSize'>;
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
  const done = ports.store.transaction(async (tx) => {
    const batch = await openBatch(ports, tx, items, targets, extraRuns);
    const ahead = lookAhead(ports, tx, batch, items, targets);
    const outcomes: Outcome[] = [];
    for (const item of items) outcomes.push(await runCommand(ports, tx, batch, item));
    const dispatches = await runDispatches(ports, tx, batch, targets, ahead);
    return commitBatch(ports, tx, batch, outcomes, dispatches);
  });
  return done.catch((error: unknown) => {
    // Behind a lost connection there may be another database than before: one that was restored.
    if (!(error instanceof MoreLocks)) ports.cache.clear();
    throw error;
  });
}

interface Batch {
  readonly world: BatchWorld;
  readonly context: Context;
  readonly events: NewEvent[];
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
  const { known, unknown } = resolveRuns(ports.cache, named);
  const world = new BatchWorld(ports.cache.open());
  const opening = tx.open({ ...named, ...unknown, workers, idempotency: keys });
  // Without names to resolve, the second locks need not wait for the answer to the first.
  const isResolved =
    unknown.tasks.length + unknown.attempts.length === 0 &&
    named.checkpoints.length + named.timers.length === 0;
  const early = [...new Set([...named.runs, ...known, ...extraRuns])].sort();
  const locking = isResolved ? lockRuns(tx, early) : undefined;
  const readAhead = () =>
    Promise.all([readTargets(tx, targets), readWorkers(ports.cache, tx, named)]);
  const reading = locking === undefined ? undefined : readAhead();
  // They fail with the first; whoever waits for them is told by it.
  for (const one of [locking, reading]) one?.catch(() => undefined);
  const locked = await opening;
  const nowMs = ports.clock.observe(locked.nowMs);
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
  tx: BatchTx,
  runs: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  return runs.length === 0 ? new Map<string, number>() : tx.lockRuns(runs);
}

/** The workers that hold the attempts which a batch names, as far as is remembered. */
async function readWorkers(
  cache: RunCache,
  tx: BatchTx,
  named: NamedIds,
): Promise<ReadonlyMap<string, WorkerRow>> {
  const ids = new Set([
    ...named.workers,
    ...named.attempts.flatMap((id) => cache.workerOf(id) ?? []),
  ]);
  return ids.size === 0 ? new Map<string, WorkerRow>() : tx.loadRows('workers', [...ids]);
}

function readTargets(tx: BatchTx, targets: readonly DispatchTarget[]): Promise<DispatchReads[]> {
  return Promise.all(targets.map((target) => readForDispatch(tx, target)));
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
    const decision = decideOn(batch, command);
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

/**
 * Decides over what is loaded. Rows of a run that is not locked may be of several moments, as if it had
 * never been: a contradiction among them is no bug, but the reason to lock it and to look again.
 */
function decideOn(batch: Batch, command: Pending['command']): Decision {
  try {
    return decide(batch.world, command, batch.context);
  } catch (error) {
    const unlocked = batch.world.unlockedRuns();
    throw unlocked.length === 0 ? error : new MoreLocks(unlocked);
  }
}

/** Candidates that are being loaded, by what they are for. */
type Ahead = ReadonlyMap<DispatchTarget, Promise<void>>;

/**
 * Has the store look for candidates while the commands are decided. Only where these can change nothing
 * of which queues are looked at: reports of agents, in a project where nothing is limited.
 */
function lookAhead(
  ports: BatchPorts,
  tx: BatchTx,
  batch: Batch,
  items: readonly Pending[],
  targets: readonly DispatchTarget[],
): Ahead {
  const ahead = new Map<DispatchTarget, Promise<void>>();
  if (!items.every(({ command }) => command.type.startsWith('attempt.'))) return ahead;
  for (const target of targets) {
    if (!target.searchStored || !isUnlimited(batch.world, target.project)) continue;
    const loading = loadFor(ports, tx, batch, target);
    // Whoever waits for it is told; who gives up before need not be.
    loading.catch(() => undefined);
    ahead.set(target, loading);
  }
  return ahead;
}

/** Hands ready work to waiting workers: in the commit that made the work, when it is this one. */
async function runDispatches(
  ports: BatchPorts,
  tx: BatchTx,
  batch: Batch,
  targets: readonly DispatchTarget[],
  ahead: Ahead,
): Promise<BatchResult['dispatches']> {
  const done: { target: DispatchTarget; reply: Reply }[] = [];
  for (const target of targets) {
    const fresh = [...batch.world.changed('ready').values()].some(
      (row) => row !== null && row.held === null && row.projectId === target.project,
    );
    if (!fresh && !target.searchStored) continue;
    await (ahead.get(target) ?? loadFor(ports, tx, batch, target));
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

async function loadFor(
  ports: BatchPorts,
  tx: BatchTx,
  { world, context }: Batch,
  target: DispatchTarget,
): Promise<void> {
  const { catalogue, verdicts } = ports;
  await loadCandidates(tx, { catalogue, verdicts, world, nowMs: context.nowMs }, target);
}

async function commitBatch(
  ports: BatchPorts,
  tx: BatchTx,
  batch: Batch,
  outcomes: readonly Outcome[],
  dispatches: BatchResult['dispatches'],
): Promise<BatchResult> {
  const writes = batch.world.writes();
  const changedRuns = checkLocks(batch, writes);
  const idempotent = [...batch.fresh.values()];
  const { events } = batch;
  if (writes.length + idempotent.length + events.length === 0) {
    await tx.rollback();
    ports.cache.learn(batch.world.learned(writes, changedRuns));
    return { outcomes, events: [], firstPos: 0, writes, dispatches };
  }
  const done = { outcomes, events, writes, dispatches };
  const { nowMs } = batch.context;
  const place = await tx
    .commit({ rows: writes, idempotent, events, nowMs, changedRuns })
    .catch((error: unknown) => {
      throw error instanceof StoreError && error.kind === 'unknown_outcome'
        ? new UnknownCommit(error.xid, done, error)
        : error;
    });
  ports.cache.learn(batch.world.learned(writes, changedRuns));
  return placed(done, place);
}

/**
 * Each changed row of a run is covered by that run's lock; a run made in this batch needs none. Answers
 * the locked runs of which something changed. @throws {MoreLocks}
 */
function checkLocks({ world }: Batch, writes: readonly RowChange[]): Set<string> {
  const touched = new Set<string>();
  const made = new Set<string>();
  for (const { table, id, row, original } of writes) {
    if (table === 'runs' && original === null) made.add(id);
    for (const side of [row, original]) {
      const run = side === null ? undefined : runIdOf(table, side);
      if (run !== undefined) touched.add(run);
    }
  }
  const changed = [...touched].filter((run) => !made.has(run));
  const missing = changed.filter((run) => !world.isLocked(run));
  if (missing.length > 0) throw new MoreLocks(missing);
  return new Set(changed);
}
