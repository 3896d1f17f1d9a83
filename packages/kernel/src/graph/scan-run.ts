import { isTerminalTask } from '@baton/contract';
import type { DependencyRow, TaskRow } from '../rows.ts';
import { deadReason, edgeState, isRequired, type EdgeState } from './edge-rule.ts';
import type { GateVerdict } from './gate.ts';

/** What a task's in-edges say about it, computed from nothing but the statuses of its upstreams. */
export interface ScannedTask {
  readonly pending: number;
  readonly outOfPlay: boolean;
  /** Why it is out of play, or null. */
  readonly reason: string | null;
  /** The upstream whose ending well means that it is skipped, or null. */
  readonly unfiredBy: TaskRow | null;
}

export interface ScannedRun {
  readonly tasks: ReadonlyMap<string, ScannedTask>;
  readonly edges: ReadonlyMap<string, EdgeState>;
}

/**
 * Recomputes a whole run: the state of each edge, and of each task what waits, what is out of play.
 * The cascade keeps the same step by step; retries start from here. Linear in tasks and edges.
 */
export function scanRun(
  tasks: readonly TaskRow[],
  dependencies: readonly DependencyRow[],
  verdictOf: (task: TaskRow) => GateVerdict,
): ScannedRun {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const into = new Map<string, DependencyRow[]>(tasks.map((task) => [task.id, []]));
  for (const edge of dependencies) into.get(edge.downstreamId)?.push(edge);
  const scanned = new Map<string, ScannedTask>();
  const edges = new Map<string, EdgeState>();
  for (const id of inTopologicalOrder(tasks, dependencies)) {
    const task = byId.get(id);
    if (task === undefined) continue;
    let pending = 0;
    let reason: string | null = null;
    let unfiredBy: TaskRow | null = null;
    for (const edge of into.get(id) ?? []) {
      const upstream = byId.get(edge.upstreamId);
      const about = scanned.get(edge.upstreamId);
      if (upstream === undefined) continue;
      const seen = { ...upstream, outOfPlay: about?.outOfPlay ?? false };
      const now = { ...seen, reason: about?.outOfPlay === true ? about.reason : upstream.reason };
      const state = edgeState(edge, now, () => verdictOf(upstream));
      edges.set(edge.id, state);
      if (state !== 'satisfied' && isRequired(edge)) pending += 1;
      if (state === 'dead') reason ??= deadReason(edge, now);
      if (state === 'unfired') unfiredBy ??= upstream;
    }
    const canLeave = task.status === 'blocked';
    const outOfPlay = canLeave && reason !== null;
    scanned.set(id, {
      pending,
      outOfPlay,
      reason: outOfPlay ? reason : null,
      unfiredBy: canLeave ? unfiredBy : null,
    });
  }
  return { tasks: scanned, edges };
}

/** Task ids so that upstreams come before what depends on them; ties in plan order. */
export function inTopologicalOrder(
  tasks: readonly TaskRow[],
  dependencies: readonly DependencyRow[],
): string[] {
  const left = new Map(tasks.map((task) => [task.id, 0]));
  const out = new Map<string, string[]>(tasks.map((task) => [task.id, []]));
  for (const edge of dependencies) {
    if (!isRequired(edge)) continue;
    left.set(edge.downstreamId, (left.get(edge.downstreamId) ?? 0) + 1);
    out.get(edge.upstreamId)?.push(edge.downstreamId);
  }
  const order = tasks
    .toSorted((a, b) => a.position - b.position)
    .map((task) => task.id)
    .filter((id) => left.get(id) === 0);
  for (let at = 0; at < order.length; at++) {
    for (const next of out.get(order[at] ?? '') ?? []) {
      const count = (left.get(next) ?? 0) - 1;
      left.set(next, count);
      if (count === 0) order.push(next);
    }
  }
  return order;
}

/** Whether a task has ended in a way that only follows from its upstreams. */
export function isEndedByUpstream(task: Pick<TaskRow, 'status' | 'reason'>): boolean {
  if (!isTerminalTask(task.status) || task.reason === null) return false;
  return (
    (task.status === 'skipped' &&
      /^(?:dependency_failed|gate_failed|condition_not_met):/.test(task.reason)) ||
    (task.status === 'cancelled' && task.reason.startsWith('dependency_cancelled:'))
  );
}
