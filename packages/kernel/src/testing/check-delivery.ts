import type { Json } from '@baton/contract';
import type { AttemptRow, RunRow, TaskRow } from '../rows.ts';
import type { MemoryWorld } from './memory-world.ts';

/**
 * Work of runs that ended well which nobody ever tried to deliver; one line each. Said as plainly as can
 * be, with no code in common with what delivers: a result is delivered, or another one is made of it.
 */
export function undelivered(world: MemoryWorld): string[] {
  return world.all('runs').flatMap((run) => (isToDeliver(run) ? ofRun(world, run) : []));
}

function isToDeliver(run: RunRow): boolean {
  const delivers = run.deliver === 'branch' || run.deliver === 'merge';
  return delivers && run.status === 'completed' && Object.keys(run.bases).length > 0;
}

function ofRun(world: MemoryWorld, run: RunRow): string[] {
  const tasks = world.list('tasksOfRun', run.id);
  // What was taken out of sight may have been what others were made into.
  if (tasks.some((it) => it.deletedAtMs !== null)) return [];
  const own = tasks.filter((it) => it.status === 'completed' && isOwn(world, it));
  const given = (task: TaskRow, to: TaskRow): boolean => {
    const upstream = (resultOf(world, to)?.manifest as { upstream?: Json })?.upstream;
    const commit = resultOf(world, task)?.result?.commit?.commit;
    return (
      Array.isArray(upstream) &&
      upstream.some((it) => {
        const { task: id, commit: what } = it as { task?: Json; commit?: Json };
        return id === task.id && what === commit;
      })
    );
  };
  const edges = world.list('dependenciesOfRun', run.id).filter((it) => it.type !== 'related');
  const isSafe = (task: TaskRow): boolean => {
    const commit = resultOf(world, task)?.result?.commit;
    if (commit === undefined) return false;
    if (commit.delivered !== undefined) return true;
    return edges.some((edge) => {
      const to = own.find((it) => it.id === edge.downstreamId);
      return edge.upstreamId === task.id && to !== undefined && given(task, to) && isSafe(to);
    });
  };
  const isLost = (task: TaskRow): boolean => {
    const commit = resultOf(world, task)?.result?.commit;
    return commit !== undefined && commit.commit !== commit.base && !isSafe(task);
  };
  const isUnwell = (task: TaskRow): boolean =>
    task.status === 'failed' ||
    task.status === 'cancelled' ||
    (task.status === 'skipped' && task.reason?.startsWith('condition_not_met:') !== true);
  // Behind what failed, work stays where it is.
  const isHeld = (task: TaskRow): boolean =>
    edges.some((edge) => {
      const to = tasks.find((it) => it.id === edge.downstreamId);
      const asks = edge.upstreamId === task.id && edge.rule === 'success';
      return asks && to !== undefined && (isUnwell(to) || isHeld(to));
    });
  return own
    .filter((it) => isLost(it) && !isHeld(it))
    .map((it) => `the commit of ${it.key} was never delivered`);
}

/** Whether a task's result is its run's to deliver. */
function isOwn(world: MemoryWorld, task: TaskRow): boolean {
  const origin = world.row('taskSpecs', task.id)?.origin;
  return task.verifies === null && origin?.startsWith('att_') !== true;
}

function resultOf(world: MemoryWorld, task: TaskRow): AttemptRow | null {
  return world.row('attempts', task.resultAttemptId ?? '');
}
