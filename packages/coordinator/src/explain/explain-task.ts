import type { Explanation } from '@baton/contract';
import { explain, fits, type Context } from '@baton/kernel';
import { BatchWorld } from '../batch/batch-world.ts';
import { loadNeeds, unmet } from '../batch/loader.ts';
import type { Catalogue } from '../dispatch/catalogue.ts';
import type { BatchStore } from '../store/batch-store.ts';
import type { Verdicts } from '../validation/verdicts.ts';

/** Rounds of reading after which an explanation is taken for a bug. */
const roundsMax = 60;
/** Heads of each queue and free places of each limit that are looked at, as many as a dispatch does. */
const lookedAtMax = 64;

/** What an explanation is made with. */
export interface ExplainPorts {
  readonly store: Pick<BatchStore, 'peek'>;
  readonly catalogue: Catalogue;
  readonly verdicts: Verdicts;
  readonly context: () => Context;
}

/**
 * Why a task is where it is, from the same rules and rows that a dispatch goes by, at one moment and
 * without a lock. Ids are internal ones. Null: the project has no such task.
 */
export function explainTask(
  { store, catalogue, verdicts, context }: ExplainPorts,
  project: string,
  task: string,
): Promise<Explanation | null> {
  return store.peek(async (tx) => {
    const now = context();
    const world = new BatchWorld();
    const [workers, freeSlots] = await Promise.all([
      tx.loadList('workersOfProject', [project]),
      tx.freeSlots(project, lookedAtMax),
    ]);
    const present = [...(workers.get(project)?.values() ?? [])];
    world.putList('workersOfProject', project, present);
    world.putList('freeSlotsOfProject', project, freeSlots);
    const fitting = catalogue
      .needsOf(project)
      .filter((row) => present.some((worker) => fits(row.needs, worker)));
    for (const row of fitting) world.putLoaded('needs', row.id, row);
    const needsIds = fitting.map((row) => row.id);
    const heads = await tx.candidates(project, needsIds, lookedAtMax);
    world.putList('readyOfProject', project, heads);
    for (let round = 0; round < roundsMax; round++) {
      const explained = explain(world, { project, task }, now);
      if (explained.kind === 'explained') return explained.explanation;
      await loadNeeds(tx, world, verdicts, unmet(world, explained.needs));
    }
    throw new Error(`explaining a task asked for more ${roundsMax} times over`);
  });
}
