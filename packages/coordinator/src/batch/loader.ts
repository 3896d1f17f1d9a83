import type { Need, TableName } from '@baton/kernel';
import type { BatchTx, StoredList } from '../store/batch-store.ts';
import type { Verdicts } from '../validation/verdicts.ts';
import type { BatchWorld } from './batch-world.ts';

/**
 * Loads what is needed and not loaded, one statement per table and per list, all sent together.
 * The locks of the batch are held by then, so what is read stays true until its commit.
 */
export async function loadNeeds(
  tx: Pick<BatchTx, 'loadRows' | 'loadList' | 'loadSlots'>,
  world: BatchWorld,
  verdicts: Verdicts,
  needs: readonly Need[],
): Promise<void> {
  const rows = new Map<TableName, Set<string>>();
  const lists = new Map<StoredList, Set<string>>();
  const slots = new Set<string>();
  const schemas: Need[] = [];
  for (const need of needs) {
    if (need.kind === 'row') group(rows, need.table, need.id);
    else if (need.kind === 'list') {
      // What claims take is locked before it is read: what was not locked is not there.
      if (need.list === 'readyOfProject' || need.list === 'freeSlotsOfProject') {
        world.putList(need.list, need.id, []);
      } else if (need.list === 'slotsOfWorker') slots.add(need.id);
      else group(lists, need.list, need.id);
    } else schemas.push(need);
  }
  await Promise.all([
    verdicts.prepare(schemas),
    slots.size > 0 && tx.loadSlots([...slots]).then((found) => world.putSlots(found)),
    ...[...rows].map(async ([table, ids]) => {
      const found = await tx.loadRows(table, [...ids]);
      for (const id of ids) world.putLoaded(table, id, found.get(id) ?? null);
    }),
    ...[...lists].map(async ([list, owners]) => {
      const found = await tx.loadList(list, [...owners]);
      for (const owner of owners)
        world.putList(list, owner, [...(found.get(owner)?.values() ?? [])]);
    }),
  ]);
}

/** Those needs that the world cannot answer yet. */
export function unmet(world: BatchWorld, needs: readonly Need[]): Need[] {
  return needs.filter((need) => {
    if (need.kind === 'row') return world.row(need.table, need.id) === undefined;
    if (need.kind === 'list') return world.list(need.list, need.id) === undefined;
    return true;
  });
}

function group<K>(sets: Map<K, Set<string>>, key: K, id: string): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([id]));
  else set.add(id);
}
