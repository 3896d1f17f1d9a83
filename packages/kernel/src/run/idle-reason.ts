import type { Draft } from '../draft.ts';
import { list } from '../need.ts';

/**
 * Why nothing of a run moves that has no question open: `review:<keys>` while gates wait for a review of
 * what is done, `waiting_for_assignment`, or `paused`. Reads the run's tasks and edges.
 */
export function idleReason(draft: Draft, runId: string): string {
  draft.load([list('tasksOfRun', runId), list('dependenciesOfRun', runId)]);
  const tasks = draft.list('tasksOfRun', runId).toSorted((a, b) => a.position - b.position);
  const byId = new Map(tasks.map((it) => [it.id, it]));
  const unjudged = new Set(
    draft
      .list('dependenciesOfRun', runId)
      .filter((it) => it.type === 'gate' && !it.satisfied)
      .filter((it) => {
        const behind = byId.get(it.downstreamId);
        return behind?.status === 'blocked' && !behind.outOfPlay;
      })
      .map((it) => it.upstreamId),
  );
  const awaited = tasks.filter((it) => it.status === 'completed' && unjudged.has(it.id));
  if (awaited.length > 0) return `review:${awaited.map((it) => it.key).join(', ')}`;
  const isHeld = tasks.some((it) => it.reason === 'waiting_for_assignment');
  return !isHeld && tasks.some((it) => it.status === 'paused')
    ? 'paused'
    : 'waiting_for_assignment';
}
