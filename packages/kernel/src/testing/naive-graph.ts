import { isTerminalTask } from '@baton/contract';
import type { DependencyRow, RunRow, TaskRow } from '../rows.ts';
import type { MemoryWorld } from './memory-world.ts';

/**
 * The rules of dependencies said again, as plainly as they can be and with no code in common with what
 * decides: every edge of a run is looked at until nothing changes.
 */
type Meaning = 'yes' | 'not yet' | 'never' | 'must not';

/** What of a run's graph is not as the rules say; one line each. */
export function naiveFaults(world: MemoryWorld): string[] {
  return world.all('runs').flatMap((run) => (run.status === 'planning' ? [] : ofRun(world, run)));
}

function ofRun(world: MemoryWorld, run: RunRow): string[] {
  const tasks = world.list('tasksOfRun', run.id);
  const edges = world.list('dependenciesOfRun', run.id);
  const byId = new Map(tasks.map((it) => [it.id, it]));
  const dead = new Set<string>();
  const meaningOf = (edge: DependencyRow): Meaning => {
    const upstream = byId.get(edge.upstreamId);
    return upstream === undefined ? 'never' : meaning(world, edge, upstream, dead);
  };
  for (let isChanging = true; isChanging;) {
    isChanging = false;
    for (const edge of edges) {
      const task = byId.get(edge.downstreamId);
      const canDie = task?.status === 'blocked' && !dead.has(task.id);
      if (!canDie || edge.type === 'related' || meaningOf(edge) !== 'never') continue;
      dead.add(task.id);
      isChanging = true;
    }
  }
  return tasks.flatMap((task) => {
    const into = edges.filter((it) => it.downstreamId === task.id && it.type !== 'related');
    return ofTask(task, into.map(meaningOf), dead.has(task.id)).map(
      (words) => `naive: ${task.key} is ${task.status} (${task.reason ?? ''}), but ${words}`,
    );
  });
}

function meaning(
  world: MemoryWorld,
  edge: DependencyRow,
  upstream: TaskRow,
  dead: ReadonlySet<string>,
): Meaning {
  const cannotStart = dead.has(upstream.id);
  const hasEnded = isTerminalTask(upstream.status);
  if (!hasEnded && !cannotStart) return 'not yet';
  if (edge.rule === 'done') return 'yes';
  if (edge.rule === 'failure') {
    if (cannotStart) return 'never';
    return upstream.status === 'failed' ? 'yes' : 'must not';
  }
  if (upstream.status !== 'completed') return 'never';
  return edge.type === 'gate' ? verdict(world, upstream) : 'yes';
}

function verdict(world: MemoryWorld, upstream: TaskRow): Meaning {
  const cold = world.row('taskSpecs', upstream.id);
  if (cold === null || cold.review.state === 'rejected') return 'never';
  if (upstream.kind === 'verify' || cold.spec.role === 'verifier') {
    const result = world.row('attempts', upstream.resultAttemptId ?? '')?.result;
    return result?.status === 'success' ? 'yes' : 'never';
  }
  if (cold.spec.verification !== undefined) return 'yes';
  return cold.review.state === 'approved' ? 'yes' : 'not yet';
}

function ofTask(task: TaskRow, edges: readonly Meaning[], isDead: boolean): string[] {
  const all = edges.every((it) => it === 'yes');
  const faults: string[] = [];
  switch (task.status) {
    case 'blocked':
      if (edges.includes('must not')) faults.push('a condition of it is not met: it is skipped');
      else if (all) faults.push('nothing holds it back');
      if (task.outOfPlay !== isDead) {
        faults.push(isDead ? 'it can never start' : 'it can still start');
      }
      break;
    case 'ready':
    case 'awaiting_approval':
      if (!all) faults.push(`it waits for something: ${edges.join(', ')}`);
      break;
    default:
      if (task.outOfPlay) faults.push('it is out of play');
  }
  return faults;
}
