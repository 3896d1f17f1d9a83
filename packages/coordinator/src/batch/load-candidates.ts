import { fits, Gates, type HardNeeds, type ReadyRow, type WorkerRow } from '@baton/kernel';
import type { Catalogue } from '../dispatch/catalogue.ts';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import type { BatchTx } from '../store/batch-store.ts';
import type { BatchWorld } from './batch-world.ts';

/** Candidates of one set of needs at most; a batch hands out no more to begin with. */
const candidatesMax = 64;

interface Loading {
  readonly catalogue: Catalogue;
  readonly world: BatchWorld;
  readonly nowMs: number;
}

/**
 * Loads what a dispatch decides by: its workers, the limits and places of the project, engines that are
 * refused, and the heads of the queues that the workers can take from now. Two round trips. Answers the
 * runs that were locked with the heads.
 */
export async function loadCandidates(
  tx: BatchTx,
  { catalogue, world, nowMs }: Loading,
  target: DispatchTarget,
): Promise<readonly string[]> {
  const { project } = target;
  const free = Math.min(
    target.workers.reduce((sum, it) => sum + it.max, 0),
    candidatesMax,
  );
  const ids = target.workers.map((it) => it.worker);
  const [workers, limits, parkings, freeSlots] = await Promise.all([
    tx.loadRows('workers', ids),
    tx.loadList('limitsOfProject', [project]),
    tx.loadList('parkingsOfProject', [project]),
    tx.lockFreeSlots(project, free),
  ]);
  for (const [id, row] of workers) world.putLoaded('workers', id, row);
  world.putList('limitsOfProject', project, [...(limits.get(project)?.values() ?? [])]);
  world.putList('parkingsOfProject', project, [...(parkings.get(project)?.values() ?? [])]);
  world.putList('freeSlotsOfProject', project, freeSlots);
  if (!target.searchStored) {
    world.putList('readyOfProject', project, []);
    return [];
  }
  const gates = gatesOf(world, project, nowMs);
  const present = ids.flatMap((id) => world.row('workers', id) ?? []);
  const fitting = catalogue
    .needsOf(project)
    .filter((row) => present.some((worker) => mayStart(row.needs, worker, gates)));
  for (const row of fitting) world.putLoaded('needs', row.id, row);
  const needsIds = fitting.map((row) => row.id);
  const heads = needsIds.length === 0 ? [] : await tx.lockCandidates(project, needsIds, free);
  const found = [...heads, ...(await risenBehind(tx, catalogue, project, heads, free, nowMs))];
  world.putList('readyOfProject', project, found);
  catalogue.learnPass(project, Math.min(...heads.map((it) => it.pass)));
  return found.map((it) => it.runId);
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
 * risen by waiting. Looked for now and then only: classes rise by the minute.
 */
async function risenBehind(
  tx: BatchTx,
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
  return (await tx.lockRisen(project, long, nowMs)).filter((it) => !known.has(it.taskId));
}
