import {
  fits,
  Gates,
  needsToStart,
  takesSlot,
  type BudgetRow,
  type HardNeeds,
  type LimitRow,
  type LimitSlotRow,
  type Need,
  type ParkingRow,
  type ReadyRow,
  type SlotRow,
  type WorkerRow,
} from '@baton/kernel';
import type { Catalogue } from '../dispatch/catalogue.ts';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import { CACHED_LISTS } from '../memory/run-cache.ts';
import type { QueueMemory } from '../memory/queue-memory.ts';
import { seenMax } from '../memory/queue-refill.ts';
import type { BatchReads } from '../store/batch-store.ts';
import type { Verdicts } from '../validation/verdicts.ts';
import type { BatchWorld } from './batch-world.ts';
import { loadNeeds, unmet } from './loader.ts';

/** Candidates of one set of needs at most; a batch hands out no more to begin with. */
const candidatesMax = 128;

/** What was seen of the queues of some needs: their heads, all of a queue that has fewer than `limit`. */
export interface QueueHeads {
  readonly project: string;
  readonly needsIds: readonly string[];
  readonly limit: number;
  readonly rows: readonly ReadyRow[];
}

interface Loading {
  readonly catalogue: Catalogue;
  readonly verdicts: Verdicts;
  readonly world: BatchWorld;
  readonly nowMs: number;
  /** What is remembered of queues, where that is worth while. */
  readonly queue: QueueMemory | undefined;
  /** Takes up what was seen. */
  readonly heads: QueueHeads[];
}

/** What a dispatch decides by, whatever it may take. */
export interface DispatchReads {
  readonly workers: ReadonlyMap<string, WorkerRow>;
  readonly slots: ReadonlyMap<string, readonly SlotRow[]>;
  readonly limits: readonly LimitRow[];
  readonly parkings: readonly ParkingRow[];
  /** The project's own, if it has one. */
  readonly budget: BudgetRow | null;
  readonly freeSlots: readonly LimitSlotRow[];
}

/**
 * Reads the workers of a dispatch, which are locked by then, what they hold, the limits and places of the
 * project, and the engines that are refused: one round trip.
 */
export async function readForDispatch(
  tx: BatchReads,
  target: DispatchTarget,
): Promise<DispatchReads> {
  const { project } = target;
  const ids = target.workers.map((it) => it.worker);
  const [freeSlots, workers, slots, limits, parkings, budgets] = await Promise.all([
    // First: the limits that are read after it stay as they are until this batch is committed.
    tx.lockFreeSlots(project, candidatesMax),
    tx.loadRows('workers', ids),
    tx.loadSlots(ids),
    tx.loadList('limitsOfProject', [project]),
    tx.loadList('parkingsOfProject', [project]),
    tx.loadRows('budgets', [project]),
  ]);
  return {
    workers,
    slots,
    limits: [...(limits.get(project)?.values() ?? [])],
    parkings: [...(parkings.get(project)?.values() ?? [])],
    budget: budgets.get(project) ?? null,
    freeSlots,
  };
}

/** Lays what was read for a dispatch into the batch's world; the runs of the batch are locked by then. */
export function putDispatchReads(
  world: BatchWorld,
  { project, workers }: DispatchTarget,
  reads: DispatchReads,
): void {
  for (const { worker } of workers) {
    world.putLoaded('workers', worker, reads.workers.get(worker) ?? null);
  }
  world.putSlots(reads.slots);
  if (world.list('freeSlotsOfProject', project) !== undefined) return;
  world.putList('limitsOfProject', project, reads.limits);
  world.putList('parkingsOfProject', project, reads.parkings);
  world.putLoaded('budgets', project, reads.budget);
  world.putList('freeSlotsOfProject', project, reads.freeSlots);
}

function hasDispatchReads(world: BatchWorld, { project, workers }: DispatchTarget): boolean {
  return (
    world.list('freeSlotsOfProject', project) !== undefined &&
    workers.every((it) => world.row('workers', it.worker) !== undefined)
  );
}

/**
 * Loads what a dispatch decides by, and the heads of the queues that its workers can take from now; they
 * are locked together with their runs. `isCounted`: nothing changes any more of who takes which slots.
 */
export async function loadCandidates(
  tx: BatchReads,
  { catalogue, verdicts, world, nowMs, queue, heads: seen }: Loading,
  target: DispatchTarget,
  isCounted: boolean,
): Promise<void> {
  const { project } = target;
  if (!hasDispatchReads(world, target)) {
    putDispatchReads(world, target, await readForDispatch(tx, target));
  }
  const needsOfProject = catalogue.needsOf(project);
  for (const row of needsOfProject) world.putLoaded('needs', row.id, row);
  if (!target.searchStored) {
    world.putList('readyOfProject', project, []);
    return;
  }
  const gates = gatesOf(world, project, nowMs);
  const free = Math.min(roomOf(world, target, isCounted), candidatesMax);
  const present = target.workers.flatMap((it) => world.row('workers', it.worker) ?? []);
  const needsIds = needsOfProject
    .filter((row) => present.some((worker) => mayStart(row.needs, worker, gates)))
    .map((row) => row.id);
  const unknown = needsIds.filter((id) => queue?.heads(project, id, free) === null);
  if (unknown.length > 0) {
    const rows = await tx.seeQueue(project, unknown, seenMax);
    seen.push({ project, needsIds: unknown, limit: seenMax, rows });
  }
  const { rows: heads, versions } =
    needsIds.length === 0 || free === 0
      ? { rows: [], versions: new Map<string, number>() }
      : await tx.lockCandidates(project, needsIds, free);
  world.runsLocked(versions);
  if (queue !== undefined && heads.some((it) => world.row('tasks', it.taskId) === undefined)) {
    // What somebody else holds is passed over: nobody waits only to remember it.
    const own = await tx.lockCandidates(project, needsIds, seenMax);
    world.runsLocked(own.versions);
    await readQueued(tx, world, verdicts, own.rows);
  }
  for (const head of heads) world.putLoaded('ready', head.taskId, head);
  await loadNeeds(tx, world, verdicts, unmet(world, heads.flatMap(needsToStart)));
  const risen = await risenBehind(tx, catalogue, project, heads, free, nowMs);
  for (const { runId } of risen) world.runLocked(runId);
  world.putList('readyOfProject', project, [...heads, ...risen]);
  // Heads that were cut off say nothing of the classes behind them.
  if (heads.length > 0 && heads.length < free) {
    catalogue.learnTurns(project, { pass: Math.min(...heads.map((it) => it.pass)) });
  }
}

/** Reads what tasks in a queue, which are locked, will surely need until they end, so that it is remembered. */
async function readQueued(
  tx: BatchReads,
  world: BatchWorld,
  verdicts: Verdicts,
  queued: readonly ReadyRow[],
): Promise<void> {
  for (const row of queued) world.putLoaded('ready', row.taskId, row);
  const needs = queued.flatMap((it) => [
    ...needsToStart(it),
    ...CACHED_LISTS.map((list): Need => ({ kind: 'list', list, id: it.taskId })),
  ]);
  await loadNeeds(tx, world, verdicts, unmet(world, needs));
}

/** Slots that may be filled: as far as they are free by now, where the batch's commands are decided. */
function roomOf(world: BatchWorld, { workers }: DispatchTarget, isCounted: boolean): number {
  let room = 0;
  for (const { worker, max } of workers) {
    const used = isCounted ? (world.list('slotsOfWorker', worker) ?? []).filter(takesSlot) : [];
    const slots = world.row('workers', worker)?.slots ?? 0;
    room += Math.max(0, Math.min(max, slots - used.length));
  }
  return room;
}

/** Whether the project is known to have no limits and nothing parked. */
export function isUnlimited(world: BatchWorld, project: string): boolean {
  const isEmpty = (list: 'limitsOfProject' | 'parkingsOfProject'): boolean =>
    world.list(list, project)?.length === 0;
  return isEmpty('limitsOfProject') && isEmpty('parkingsOfProject');
}

/** What holds work back, as the batch sees it by now. */
function gatesOf(world: BatchWorld, project: string, nowMs: number): Gates {
  return new Gates(
    {
      limits: world.list('limitsOfProject', project) ?? [],
      freeSlots: world.list('freeSlotsOfProject', project) ?? [],
      parkings: world.list('parkingsOfProject', project) ?? [],
    },
    nowMs,
  );
}

function mayStart(needs: HardNeeds, worker: WorkerRow, gates: Gates): boolean {
  if (!fits(needs, worker) || gates.shutBy(needs.keys ?? []) !== null) return false;
  const now = gates.engineNow(needs, worker);
  return now !== null && 'engine' in now;
}

/**
 * Behind a queue that is longer than what was looked at there may be work of a lower class that has
 * risen by waiting. Classes rise by the minute, so it is looked for every few seconds only.
 */
async function risenBehind(
  tx: BatchReads,
  catalogue: Catalogue,
  project: string,
  heads: readonly ReadyRow[],
  looked: number,
  nowMs: number,
): Promise<readonly ReadyRow[]> {
  const counts = new Map<string, number>();
  for (const { needsId } of heads) counts.set(needsId, (counts.get(needsId) ?? 0) + 1);
  const long = [...counts].filter(([, count]) => count >= looked).map(([needsId]) => needsId);
  if (long.length === 0 || !catalogue.isTimeForRisen(project, nowMs)) return [];
  const known = new Set(heads.map((it) => it.taskId));
  const risen = await tx.lockRisen(project, long, nowMs);
  catalogue.lookedForRisen(project, nowMs);
  return risen.filter((it) => !known.has(it.taskId));
}
