import type { Draft } from '../draft.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import { rows } from '../need.ts';
import type { TaskRow } from '../rows.ts';
import { changeTask, moveTask } from '../task/change-task.ts';
import { openTask } from '../task/open-task.ts';
import { dropTimers, QUEUE_TIMERS } from '../timer.ts';
import { tellGate } from './cascade.ts';
import { gateVerdictOf, loadGates } from './gate.ts';
import { scanRun, type ScannedRun, type ScannedTask } from './scan-run.ts';

/**
 * Brings a whole run in line with its graph after tasks were redone or edges changed: what waits again
 * is blocked, what nothing holds back is opened, what cannot start is out of play.
 */
export function rescanRun(draft: Draft, runId: string): void {
  for (;;) {
    const scan = scanNow(draft, runId);
    writeEdges(draft, runId, scan);
    const moved = draft
      .list('tasksOfRun', runId)
      .toSorted((a, b) => a.position - b.position)
      .filter((task) => apply(draft, task, scan.tasks.get(task.id)));
    // What ended by this (a join, a handler that is not needed) moves what depends on it, and what was
    // blocked by it may be out of play: look again.
    if (moved.length === 0) return;
  }
}

function scanNow(draft: Draft, runId: string): ScannedRun {
  const tasks = draft.list('tasksOfRun', runId);
  const edges = draft.list('dependenciesOfRun', runId);
  const gates = new Set(edges.filter((it) => it.type === 'gate').map((it) => it.upstreamId));
  loadGates(
    draft,
    tasks.filter((it) => gates.has(it.id)),
  );
  return scanRun(tasks, edges, (task) => gateVerdictOf(draft, task));
}

function writeEdges(draft: Draft, runId: string, scan: ScannedRun): void {
  for (const edge of draft.list('dependenciesOfRun', runId)) {
    const satisfied = scan.edges.get(edge.id) === 'satisfied';
    if (satisfied !== edge.satisfied) draft.put('dependencies', { ...edge, satisfied });
  }
}

/** Brings one task in line; answers whether others may look different by that. */
function apply(draft: Draft, task: TaskRow, scanned: ScannedTask | undefined): boolean {
  if (scanned === undefined) return false;
  if (scanned.pending !== task.pending) changeTask(draft, task.id, { pending: scanned.pending });
  const about = { run: task.runId, task: task.id };
  if (task.status === 'ready' || task.status === 'awaiting_approval') {
    if (scanned.pending === 0) return false;
    blockTask(draft, task.id);
    return true;
  }
  if (task.status !== 'blocked') return false;
  if (scanned.unfiredBy !== null) {
    const reason = `condition_not_met:${scanned.unfiredBy.key}`;
    moveTask(draft, task.id, 'skip', 'skipped', { reason });
    draft.event('task.skipped', about, { reason });
    return true;
  }
  if (scanned.pending === 0) {
    draft.load(rows('taskSpecs', [task.id]));
    draft.event('task.unblocked', about, { key: task.key });
    return openTask(draft, task.id);
  }
  const { outOfPlay, reason } = scanned;
  if (outOfPlay !== task.outOfPlay || reason !== task.reason) {
    changeTask(draft, task.id, { outOfPlay, reason });
    draft.event('task.blocked', about, { reason });
    if (reason !== null) tellGate(draft, task, reason);
  }
  return false;
}

/** Takes a task that could have started back to waiting for its upstreams. */
export function blockTask(draft: Draft, id: string): void {
  const task = draft.get('tasks', id);
  cancelCheckpointOf(draft, task, 'an upstream is redone');
  const { timeouts } = draft.get('taskSpecs', id).spec;
  const isContinued = task.continueAttemptId !== null;
  if (task.retryAtMs !== null || isContinued || timeouts.queue !== undefined) {
    dropTimers(draft, id, QUEUE_TIMERS);
  }
  moveTask(draft, id, 'block', 'blocked', { reason: null, retryAtMs: null, readyAtMs: null });
  draft.event('task.blocked', { run: task.runId, task: id }, { reason: null });
}
