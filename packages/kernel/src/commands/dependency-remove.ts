import { findDead } from '../graph/judge-blocked.ts';
import { cascade, openAll } from '../graph/cascade.ts';
import { list, row } from '../need.ts';
import { rescanRun } from '../graph/rescan.ts';
import { refuse } from '../refuse.ts';
import { changeTask } from '../task/change-task.ts';
import type { Draft } from '../draft.ts';
import type { Handler } from './handler.ts';

/** Takes an edge away; a task that waited for nothing else starts. */
export const dependencyRemove: Handler<'dependency.remove'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  const edge = draft.own('dependencies', command.dependency);
  if (
    task === null ||
    edge === null ||
    (edge.downstreamId !== task.id && edge.upstreamId !== task.id)
  ) {
    return refuse('not_found', `Task ${command.task} has no dependency ${command.dependency}.`);
  }
  draft.load([
    row('runs', edge.runId),
    row('tasks', edge.downstreamId),
    list('edgesIn', edge.downstreamId),
  ]);
  draft.remove('dependencies', edge.id);
  draft.event(
    'dependency.removed',
    { run: edge.runId, task: edge.downstreamId },
    {
      upstream: edge.upstreamId,
      downstream: edge.downstreamId,
      type: edge.type,
      contract_key: edge.contractKey,
    },
  );
  if (!edge.satisfied) {
    const before = draft.get('tasks', edge.downstreamId);
    const after = changeTask(draft, before.id, { pending: before.pending - 1 });
    if (after.status === 'blocked') {
      if (after.outOfPlay && findDead(draft, after.id) === null) rescan(draft, after.runId);
      else if (after.pending === 0) cascade(draft, openAll(draft, [after.id]));
    }
  }
  return { task: task.id, run: edge.runId, dependency: edge.id };
};

/** The task is in play again, and with it perhaps what depends on it. */
function rescan(draft: Draft, runId: string): void {
  draft.load([
    list('tasksOfRun', runId),
    list('dependenciesOfRun', runId),
    list('specsOfRun', runId),
  ]);
  rescanRun(draft, runId);
}
