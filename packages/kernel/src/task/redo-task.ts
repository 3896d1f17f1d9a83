import { isOpenAttempt, isTerminalTask } from '@baton/contract';
import { stopAttempt } from '../attempt/close-attempt.ts';
import type { Wake } from '../attempt/continuation.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import type { Draft } from '../draft.ts';
import { edgeState, isRequired } from '../graph/edge-rule.ts';
import { gateVerdictOf, loadGates } from '../graph/gate.ts';
import { blockTask, rescanRun } from '../graph/rescan.ts';
import { inTopologicalOrder, isEndedByUpstream, scanRun } from '../graph/scan-run.ts';
import { list, row, rows } from '../need.ts';
import { reopenRun } from '../run/settle.ts';
import type { TaskRow } from '../rows.ts';
import { changeTask, moveTask, type TaskPatch } from './change-task.ts';
import { dropCheck, leaveLife, loadLives } from './end-task.ts';

/** The ended upstream that keeps a task from ever starting, or null. Reads the run's edges. */
export function blockedBy(draft: Draft, id: string): TaskRow | null {
  const into = draft.list('edgesIn', id).filter(isRequired);
  draft.load(
    rows(
      'tasks',
      into.map((edge) => edge.upstreamId),
    ),
  );
  for (const edge of into) {
    const upstream = draft.get('tasks', edge.upstreamId);
    if (edge.type === 'gate') loadGates(draft, [upstream]);
    const state = edgeState(edge, upstream, () => gateVerdictOf(draft, upstream));
    if (state === 'dead' || state === 'unfired') return upstream;
  }
  return null;
}

/** How a task is done again. */
export interface Redo {
  readonly downstream: 'keep' | 'reset';
  /** Why; told to the next agent as feedback unless the start is `fresh`. */
  readonly reason: string | null;
  /** Nothing of the earlier lives is told to the next agent. */
  readonly fresh?: boolean;
  /** The attempt whose workspace and conversation it goes on with, and what its agent is told. */
  readonly goOn?: { readonly attempt: string; readonly wake: Wake };
}

/**
 * Opens a new generation of a task; one that has not ended is taken from whoever works on it first.
 * Downstream of it: what ended only because of its upstreams comes back; what has finished is marked
 * outdated (`keep`) or opened anew too (`reset`); what has not started waits again. Reads the whole run.
 */
export function redoTasks(draft: Draft, id: string, how: Redo): void {
  const { runId, status } = draft.get('tasks', id);
  const after = downstreamInOrder(draft, runId, id);
  loadLives(draft, [id, ...after]);
  if (!isTerminalTask(status)) leaveLife(draft, id, 'cancelled', 'relaunched');
  redo(draft, id, how.reason, {
    ...(how.fresh === true
      ? { freshGeneration: draft.get('tasks', id).generation + 1, feedback: null }
      : {}),
    ...(how.goOn === undefined ? {} : { continueAttemptId: how.goOn.attempt, wake: how.goOn.wake }),
  });
  const isReset = how.downstream === 'reset';
  const isReplaced = (it: string): boolean => draft.get('tasks', it).status === 'superseded';
  const opened = isReset ? after.filter((it) => !isReplaced(it)) : [];
  const revived = revivable(draft, runId, after, opened);
  for (const next of after) {
    if (isEndedByUpstream(draft.get('tasks', next))) {
      if (revived.has(next)) redo(draft, next, isReset ? redoneBecauseOf(draft, id) : null);
    } else if (isReset) reset(draft, next, id);
    else keep(draft, next, id);
  }
  rescanRun(draft, runId);
}

/**
 * Has the dependents of a task that has not moved looked at again, because what it means to them has
 * changed: those that ended only because of it come back, if it lets them. Of a run that is being
 * cancelled nothing comes back. Its run must be loaded; reads the whole of it.
 */
export function rejudgeDependents(draft: Draft, id: string): void {
  const { runId } = draft.get('tasks', id);
  if (draft.get('runs', runId).status === 'cancelling') return;
  loadRun(draft, runId);
  reviveDependents(draft, id, 'reviewed');
  rescanRun(draft, runId);
}

/**
 * Brings back, blocked, what ended only because of a task; `isBack`: the task itself is about to leave
 * what it ended as. The run's graph must be loaded.
 */
export function reviveDependents(draft: Draft, id: string, why: string, isBack = false): void {
  const { runId, key } = draft.get('tasks', id);
  const after = downstreamInOrder(draft, runId, id);
  loadLives(draft, after);
  const gone = revivable(draft, runId, after, isBack ? [id] : []);
  if (gone.size > 0) reopenRun(draft, runId, `${why}:${key}`);
  for (const next of gone) redo(draft, next, null);
}

/**
 * Those of some tasks that ended because of their upstreams and would not do so again: another upstream
 * that failed, was cancelled or does not meet a condition keeps them ended. `opened` are those that are
 * opened as well, whatever they are now. The run's graph must be loaded.
 */
function revivable(
  draft: Draft,
  runId: string,
  ids: readonly string[],
  opened: readonly string[],
): ReadonlySet<string> {
  const tasks = draft.list('tasksOfRun', runId);
  const edges = draft.list('dependenciesOfRun', runId);
  const found = new Set(ids.filter((id) => isEndedByUpstream(draft.get('tasks', id))));
  if (found.size === 0) return found;
  const gates = new Set(edges.filter((it) => it.type === 'gate').map((it) => it.upstreamId));
  loadGates(
    draft,
    tasks.filter((it) => gates.has(it.id)),
  );
  const others = new Set(opened.filter((id) => !found.has(id)));
  for (;;) {
    const supposed = tasks.map((it) =>
      found.has(it.id) || others.has(it.id)
        ? { ...it, status: 'blocked' as const, outOfPlay: false, reason: null }
        : it,
    );
    const scan = scanRun(supposed, edges, (task) => gateVerdictOf(draft, task));
    const again = [...found].filter((id) => {
      const it = scan.tasks.get(id);
      return it === undefined || it.outOfPlay || it.unfiredBy !== null;
    });
    if (again.length === 0) return found;
    for (const id of again) found.delete(id);
  }
}

/** Loads the graph of a run whole. */
export function loadRun(draft: Draft, runId: string): void {
  draft.load([
    row('runs', runId),
    list('tasksOfRun', runId),
    list('dependenciesOfRun', runId),
    list('specsOfRun', runId),
  ]);
}

function keep(draft: Draft, id: string, upstream: string): void {
  const task = draft.get('tasks', id);
  if (task.status === 'completed' && !task.outdated) {
    changeTask(draft, id, { outdated: true });
    draft.event('task.outdated', { run: task.runId, task: id }, { upstream });
  }
}

function reset(draft: Draft, id: string, upstream: string): void {
  const task = draft.get('tasks', id);
  // What a plan replaced has others in its place.
  if (task.status === 'superseded') return;
  if (isTerminalTask(task.status)) {
    redo(draft, id, redoneBecauseOf(draft, upstream));
    return;
  }
  if (task.status === 'paused') {
    cancelCheckpointOf(draft, task, 'an upstream is redone');
    changeTask(draft, id, {
      ...newGeneration(task),
      reason: task.reason,
      pausedFrom: 'blocked',
    });
    return;
  }
  const isHeld = task.status === 'running' || task.status === 'waiting';
  if (isHeld || task.status === 'verifying') recall(draft, task);
  if (draft.get('tasks', id).status === 'ready' || task.status === 'awaiting_approval') {
    blockTask(draft, id);
  }
  if (task.attemptId !== null) changeTask(draft, id, newGeneration(task));
}

function redoneBecauseOf(draft: Draft, upstream: string): string {
  return `upstream ${draft.get('tasks', upstream).key} is redone`;
}

/** Takes a task away from whoever works on it. */
function recall(draft: Draft, task: TaskRow): void {
  const reason = 'an upstream is redone';
  dropCheck(draft, task, reason);
  cancelCheckpointOf(draft, task, reason);
  if (task.attemptId !== null && isOpenAttempt(draft.get('attempts', task.attemptId).status)) {
    stopAttempt(draft, task.attemptId, 'cancelled', reason);
  }
  moveTask(draft, task.id, 'offer', 'ready', { reason: null });
}

function redo(draft: Draft, id: string, reason: string | null, more: TaskPatch = {}): void {
  const task = draft.get('tasks', id);
  const { generation } = moveTask(draft, id, 'redo', 'blocked', {
    ...newGeneration(task),
    feedback: reason,
    ...more,
  });
  forgetReview(draft, id);
  draft.event('task.relaunched', { run: task.runId, task: id }, { generation, reason });
}

/** What was said of the work of an earlier life is not said of this one. */
function forgetReview(draft: Draft, id: string): void {
  const cold = draft.get('taskSpecs', id);
  if (cold.review.state === 'none') return;
  draft.put('taskSpecs', { ...cold, review: { state: 'none', by: null, at: null, note: null } });
}

/** What a task begins each of its lives with. Its attempts and their failures stay on record. */
function newGeneration(task: TaskRow): TaskPatch {
  return {
    generation: task.generation + 1,
    reason: null,
    approved: false,
    attemptCount: 0,
    freeRetries: 0,
    resultAttemptId: null,
    progress: null,
    outdated: false,
    verification: null,
    rejected: false,
    failureClass: null,
    continueAttemptId: null,
    wake: null,
    retryAtMs: null,
    readyAtMs: null,
    startedAtMs: null,
  };
}

/** All that depends on a task over edges that must be satisfied, upstreams first. */
function downstreamInOrder(draft: Draft, runId: string, id: string): string[] {
  const edges = draft.list('dependenciesOfRun', runId);
  const found = new Set([id]);
  const order = inTopologicalOrder(draft.list('tasksOfRun', runId), edges);
  const into = new Map<string, string[]>();
  for (const edge of edges.filter(isRequired)) {
    into.set(edge.downstreamId, [...(into.get(edge.downstreamId) ?? []), edge.upstreamId]);
  }
  for (const task of order) {
    if ((into.get(task) ?? []).some((upstream) => found.has(upstream))) found.add(task);
  }
  found.delete(id);
  return [...found];
}
