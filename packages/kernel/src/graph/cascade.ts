import type { Draft } from '../draft.ts';
import { rows } from '../need.ts';
import type { DependencyRow, TaskRow } from '../rows.ts';
import { changeTask, moveTask } from '../task/change-task.ts';
import { openTask } from '../task/open-task.ts';
import { deadReason, edgeState, isRequired } from './edge-rule.ts';
import { edgesOutReader } from './edges-out.ts';
import { gateVerdictOf, loadGates } from './gate.ts';

/**
 * Carries the end of tasks (or their going out of play) on to what depends on them, level by level:
 * edges are satisfied, dependents start, are skipped or go out of play. Cost: the edges out of what
 * ended, their ends, and the specs of those that start.
 */
export function cascade(draft: Draft, ended: readonly string[]): void {
  const edgesOut = edgesOutReader(draft);
  let level = ended;
  while (level.length > 0) {
    const edges = edgesOut(level).filter((edge) => !edge.satisfied && isRequired(edge));
    if (edges.length === 0) return;
    loadVerdicts(draft, edges);
    level = passOn(draft, edges);
  }
}

/** What the edges of one level lead to; answers the tasks to go on with. */
function passOn(draft: Draft, edges: readonly DependencyRow[]): string[] {
  // A task may leave play by one edge and be skipped by another: what follows it is looked at once.
  const next = new Set<string>();
  const maybeOpen = new Set<string>();
  for (const edge of inPlanOrder(draft, edges)) {
    const upstream = draft.get('tasks', edge.upstreamId);
    const state = edgeState(edge, upstream, () => gateVerdictOf(draft, upstream));
    if (state === 'satisfied') {
      satisfy(draft, edge);
      maybeOpen.add(edge.downstreamId);
    } else if (state === 'unfired' && skipTask(draft, edge.downstreamId, upstream)) {
      next.add(edge.downstreamId);
    } else if (
      state === 'dead' &&
      leavePlay(draft, edge.downstreamId, deadReason(edge, upstream))
    ) {
      next.add(edge.downstreamId);
    }
  }
  const opened = [...maybeOpen].filter((id) => {
    const task = draft.get('tasks', id);
    return task.status === 'blocked' && task.pending === 0;
  });
  return [...next, ...openAll(draft, opened)];
}

/** Opens tasks whose last dependency was satisfied. Answers those that ended by it. */
export function openAll(draft: Draft, ids: readonly string[]): string[] {
  draft.load(rows('taskSpecs', ids));
  for (const id of ids) {
    const task = draft.get('tasks', id);
    draft.event('task.unblocked', { run: task.runId, task: id }, { key: task.key });
  }
  return ids.filter((id) => openTask(draft, id));
}

/** Tells of a gate that is shut, beside the blocking of what stands before it. */
export function tellGate(draft: Draft, task: TaskRow, reason: string): void {
  if (!reason.startsWith('gate_failed:')) return;
  const upstream = reason.slice('gate_failed:'.length);
  draft.event('gate.failed', { run: task.runId, task: task.id }, { upstream, reason });
}

/** Takes a blocked task out of play: nothing that is in motion can make it start. */
export function leavePlay(draft: Draft, id: string, reason: string): boolean {
  const task = draft.get('tasks', id);
  if (task.status !== 'blocked' || task.outOfPlay) return false;
  changeTask(draft, id, { outOfPlay: true, reason });
  draft.event('task.blocked', { run: task.runId, task: id }, { reason });
  tellGate(draft, task, reason);
  return true;
}

function satisfy(draft: Draft, edge: DependencyRow): void {
  draft.put('dependencies', { ...edge, satisfied: true });
  const task = draft.get('tasks', edge.downstreamId);
  changeTask(draft, task.id, { pending: task.pending - 1 });
  draft.event(
    'dependency.resolved',
    { run: edge.runId, task: edge.downstreamId },
    {
      upstream: edge.upstreamId,
      downstream: edge.downstreamId,
      type: edge.type,
      contract_key: edge.contractKey,
    },
  );
}

/** Skips a blocked task whose condition an upstream does not meet. */
export function skipTask(draft: Draft, id: string, upstream: TaskRow): boolean {
  const task = draft.get('tasks', id);
  if (task.status !== 'blocked') return false;
  const reason = `condition_not_met:${upstream.key}`;
  moveTask(draft, task.id, 'skip', 'skipped', { reason });
  draft.event('task.skipped', { run: task.runId, task: task.id }, { reason });
  return true;
}

function inPlanOrder(draft: Draft, edges: readonly DependencyRow[]): DependencyRow[] {
  const position = (edge: DependencyRow): number => draft.get('tasks', edge.downstreamId).position;
  return edges.toSorted((a, b) => position(a) - position(b));
}

/** A gate asks for the verdict on its upstream's result: an attempt and a spec away. */
function loadVerdicts(draft: Draft, edges: readonly DependencyRow[]): void {
  const gates = edges.filter((edge) => edge.type === 'gate');
  const upstreams = gates.map((edge) => draft.get('tasks', edge.upstreamId));
  loadGates(draft, upstreams);
}
