import type { Command, CommandType } from '@baton/contract';
import { lockPlan } from '@baton/kernel';

/** Unrelated commands are taken in this order: what stops work first, what hands it out last. */
const RANK: { readonly [T in CommandType]: number } = {
  'lease.grace': 0,
  'run.cancel': 0,
  'run.replan': 4,
  'task.cancel': 0,
  'run.pause': 0,
  'run.resume': 0,
  'run.delete': 0,
  'run.purge': 0,
  'task.pause': 0,
  'task.resume': 0,
  'task.delete': 0,
  'task.purge': 0,
  'task.review': 0,
  'attempt.adopt': 0,
  'task.decide': 0,
  'await.cancel': 0,
  'checkpoint.resolve': 0,
  'worker.remove': 0,
  'worker.drain': 0,
  'worker.leaving': 0,
  'worker.hello': 1,
  'worker.gone': 1,
  'worker.heartbeat': 1,
  'attempt.heartbeat': 1,
  'attempt.start': 2,
  'attempt.progress': 2,
  'attempt.output': 2,
  'attempt.artifact': 2,
  'attempt.checkpoint': 2,
  'attempt.plan': 2,
  'attempt.note': 2,
  'attempt.actions': 2,
  'await.open': 2,
  'attempt.complete': 2,
  'attempt.fail': 2,
  'attempt.release': 2,
  'run.delivered': 2,
  'lease.expire': 3,
  'timer.fire': 3,
  'worker.sweep': 3,
  'run.settle': 3,
  'await.check': 3,
  'joinToken.create': 4,
  'budget.set': 4,
  'limit.set': 4,
  'limit.remove': 4,
  'worker.register': 4,
  'run.create': 4,
  'task.create': 4,
  'task.assign': 4,
  'run.rerun': 4,
  'task.retry': 4,
  'task.relaunch': 4,
  'task.rerun': 4,
  'task.progress': 4,
  'task.note': 4,
  'task.update': 4,
  'task.message': 4,
  'run.checkpoint': 0,
  'run.update': 4,
  'dependency.add': 4,
  'dependency.remove': 4,
  'checkpoint.open': 4,
  'work.dispatch': 5,
};

/** A command as it waits, with what ties it to others. */
export interface Ordered {
  readonly command: Command;
  /** Commands of one connection keep their order. */
  readonly connection?: string | undefined;
}

/**
 * Orders a batch. Commands of one connection, and commands that name the same thing, keep their order
 * of arrival; groups that have nothing in common go by the lowest rank in them.
 */
export function orderBatch<T extends Ordered>(items: readonly T[]): T[] {
  if (items.length < 2) return [...items];
  const parent = items.map((_, index) => index);
  const find = (index: number): number => {
    let at = index;
    while (parent[at] !== at) at = parent[at] ?? at;
    parent[index] = at;
    return at;
  };
  const firstBy = new Map<string, number>();
  items.forEach((item, index) => {
    for (const key of ties(item)) {
      const first = firstBy.get(key);
      if (first === undefined) firstBy.set(key, index);
      else parent[find(index)] = find(first);
    }
  });
  const rankOf = new Map<number, number>();
  items.forEach((item, index) => {
    const group = find(index);
    const rank = RANK[item.command.type];
    rankOf.set(group, Math.min(rankOf.get(group) ?? rank, rank));
  });
  return items
    .map((item, index) => ({ item, index, group: find(index) }))
    .sort((a, b) => (rankOf.get(a.group) ?? 0) - (rankOf.get(b.group) ?? 0) || a.index - b.index)
    .map((entry) => entry.item);
}

function ties(item: Ordered): string[] {
  const named = lockPlan(item.command);
  const keys = Object.values(named).flatMap((ids) => ids ?? []);
  if (item.connection !== undefined) keys.push(`connection ${item.connection}`);
  return keys;
}
