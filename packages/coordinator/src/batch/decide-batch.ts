import { AppError, toAppError } from '@baton/contract';
import { decide, type Decision, type Reply } from '@baton/kernel';
import {
  idempotencyId,
  type IdempotencyKey,
  type IdempotentReply,
  type RowChange,
} from '@baton/store';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import type { BatchReads } from '../store/batch-store.ts';
import { MoreLocks, type BatchResult } from './batch-result.ts';
import { isUnlimited, loadCandidates } from './load-candidates.ts';
import { loadNeeds, unmet } from './loader.ts';
import { openBatch, type Batch, type BatchPorts } from './open-batch.ts';
import type { Outcome, Pending } from './pending.ts';
import { runIdOf } from '../memory/run-cache.ts';

/** Rounds of "decide, load what was missing" after which a decision is taken for a bug. */
const decideRoundsMax = 40;

/** What a batch came to, before it is written. */
export interface DecidedBatch {
  readonly batch: Batch;
  readonly done: Omit<BatchResult, 'firstPos'>;
  /** Locked runs of which something changed. */
  readonly changedRuns: ReadonlySet<string>;
  readonly idempotent: readonly (IdempotencyKey & IdempotentReply)[];
}

/**
 * Locks, loads and decides each command seeing what those before it did; then hands out work.
 * @throws {MoreLocks} when it turns out to need more runs than it has locked
 */
export async function decideBatch(
  ports: BatchPorts,
  tx: BatchReads,
  items: readonly Pending[],
  targets: readonly DispatchTarget[],
  extraRuns: readonly string[],
): Promise<DecidedBatch> {
  const batch = await openBatch(ports, tx, items, targets, extraRuns);
  const ahead = lookAhead(ports, tx, batch, items, targets);
  const outcomes: Outcome[] = [];
  for (const item of items) outcomes.push(await runCommand(ports, tx, batch, item));
  const dispatches = await runDispatches(ports, tx, batch, targets, ahead);
  const writes = batch.world.writes();
  const changedRuns = checkLocks(batch, writes);
  const { events } = batch;
  return {
    batch,
    done: { outcomes, events, writes, dispatches },
    changedRuns,
    idempotent: [...batch.fresh.values()],
  };
}

async function runCommand(
  ports: BatchPorts,
  tx: BatchReads,
  batch: Batch,
  item: Pending,
): Promise<Outcome> {
  const { command, idempotency } = item;
  if (command.type === 'work.dispatch') {
    const { project, workers } = command;
    await loadFor(ports, tx, batch, { project, workers, searchStored: true }, true);
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
  tx: BatchReads,
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
  tx: BatchReads,
  batch: Batch,
  items: readonly Pending[],
  targets: readonly DispatchTarget[],
): Ahead {
  const ahead = new Map<DispatchTarget, Promise<void>>();
  if (!items.every(({ command }) => command.type.startsWith('attempt.'))) return ahead;
  for (const target of targets) {
    if (!target.searchStored || !isUnlimited(batch.world, target.project)) continue;
    const loading = loadFor(ports, tx, batch, target, false);
    // Whoever waits for it is told; who gives up before need not be.
    loading.catch(() => undefined);
    ahead.set(target, loading);
  }
  return ahead;
}

/** Hands ready work to waiting workers: in the commit that made the work, when it is this one. */
async function runDispatches(
  ports: BatchPorts,
  tx: BatchReads,
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
    await (ahead.get(target) ?? loadFor(ports, tx, batch, target, true));
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
  { catalogue, verdicts, memory }: BatchPorts,
  tx: BatchReads,
  { world, context, heads }: Batch,
  target: DispatchTarget,
  isCounted: boolean,
): Promise<void> {
  const queue = memory.isSteady ? memory.queue : undefined;
  const loading = { catalogue, verdicts, world, nowMs: context.nowMs, queue, heads };
  await loadCandidates(tx, loading, target, isCounted);
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
  // A lock that came with a candidate says nothing of what was read of its run before.
  const early = world.runsReadUnlocked();
  const missing = changed.filter((run) => !world.isLocked(run) || early.has(run));
  if (missing.length > 0) throw new MoreLocks(missing);
  return new Set(changed);
}
