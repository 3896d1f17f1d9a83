import { lockPlan } from '@baton/kernel';
import type { Pending } from './pending.ts';

const kinds = [
  'runs',
  'tasks',
  'attempts',
  'checkpoints',
  'timers',
  'workers',
  'workerNames',
  'joinTokens',
  'limitsOf',
] as const;
type Kind = (typeof kinds)[number];

/** What a batch names before anything is read, without duplicates, ascending. */
export type NamedIds = Readonly<Record<Kind, readonly string[]>>;

/** Gathers what the commands of a batch name. */
export function namedIds(items: readonly Pick<Pending, 'command'>[]): NamedIds {
  const sets = new Map(kinds.map((kind) => [kind, new Set<string>()]));
  for (const { command } of items) {
    const plan = lockPlan(command);
    for (const kind of kinds) for (const id of plan[kind] ?? []) sets.get(kind)?.add(id);
  }
  const sorted = (kind: Kind) => [...(sets.get(kind) ?? [])].sort();
  return {
    runs: sorted('runs'),
    tasks: sorted('tasks'),
    attempts: sorted('attempts'),
    checkpoints: sorted('checkpoints'),
    timers: sorted('timers'),
    workers: sorted('workers'),
    workerNames: sorted('workerNames'),
    joinTokens: sorted('joinTokens'),
    limitsOf: sorted('limitsOf'),
  };
}
