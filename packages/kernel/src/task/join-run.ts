import type { DependencyRule, DependencyType } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { edgeState } from '../graph/edge-rule.ts';
import { gateVerdictOf, loadGates } from '../graph/gate.ts';
import { checkEdge } from '../graph/validate-plan.ts';
import { rows } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { RunRow, TaskRow } from '../rows.ts';
import { putEdge } from './new-task.ts';

/** An edge to an upstream by its id. */
export interface WantedEdge {
  readonly upstream: string;
  readonly type: DependencyType;
  readonly on: DependencyRule;
  readonly contract_key?: string | undefined;
  readonly as?: string | undefined;
}

/** Checks an edge to an existing upstream: its kind, its contract, and that it may still be satisfied. */
export function checkWantedEdge(draft: Draft, edge: WantedEdge): TaskRow | Refused {
  const upstream = draft.own('tasks', edge.upstream);
  if (upstream === null) {
    return refuse('unknown_task', `There is no task ${edge.upstream} to depend on.`, {
      task: edge.upstream,
    });
  }
  if (upstream.verifies !== null) {
    return refuse(
      'not_supported',
      `Task ${upstream.key} only checks another one; depend on the task that it checks.`,
      { upstream: upstream.key, verifies: upstream.verifies.task },
    );
  }
  draft.load(rows('taskSpecs', [upstream.id]));
  const fault = checkEdge(edge, upstream.key, draft.get('taskSpecs', upstream.id).spec);
  if (fault !== null) return fault;
  const state = stateOf(draft, edge, upstream);
  if ((state === 'dead' || state === 'unfired') && !upstream.outOfPlay) {
    return refuse(
      'wrong_status',
      `Task ${upstream.key} is ${upstream.status}, so that the new task could never start; ` +
        `retry ${upstream.key} first, or depend on it with on: done.`,
      { upstream: upstream.key, status: upstream.status },
    );
  }
  return upstream;
}

/** Whether an edge is satisfied as its upstream is now. */
export function isSatisfied(draft: Draft, edge: WantedEdge): boolean {
  return stateOf(draft, edge, draft.get('tasks', edge.upstream)) === 'satisfied';
}

/** Writes an edge and tells it. Answers its id. */
export function addEdge(draft: Draft, run: RunRow, edge: WantedEdge, downstreamId: string): string {
  const written = putEdge(draft, run, edge.upstream, downstreamId, edge);
  const satisfied = isSatisfied(draft, edge);
  if (satisfied !== written.satisfied) draft.put('dependencies', { ...written, satisfied });
  draft.event(
    'dependency.added',
    { run: run.id, task: downstreamId },
    {
      upstream: edge.upstream,
      downstream: downstreamId,
      type: edge.type,
      contract_key: edge.contract_key ?? null,
    },
  );
  return written.id;
}

/** Edges that say the same are one edge. */
export function edgeIdentity(edge: WantedEdge): string {
  return [edge.upstream, edge.type, edge.contract_key ?? ''].join(' ');
}

function stateOf(draft: Draft, edge: WantedEdge, upstream: TaskRow) {
  if (edge.type === 'gate') loadGates(draft, [upstream]);
  const verdict = () => gateVerdictOf(draft, upstream);
  return edgeState({ type: edge.type, rule: edge.on }, upstream, verdict);
}
