import { isOpenAttempt, isTerminalTask } from '@baton/contract';
import { stopAttempt } from '../attempt/close-attempt.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import type { Draft } from '../draft.ts';
import { edgeState, isRequired } from '../graph/edge-rule.ts';
import { resultOf } from '../graph/cascade.ts';
import { blockTask, rescanRun } from '../graph/rescan.ts';
import { inTopologicalOrder, isEndedByUpstream } from '../graph/scan-run.ts';
import { rows } from '../need.ts';
import type { TaskRow } from '../rows.ts';
import { changeTask, moveTask, type TaskPatch } from './change-task.ts';
import { loadLives } from './end-task.ts';

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
    if (edge.type === 'gate') draft.load(rows('attempts', [upstream.resultAttemptId]));
    const state = edgeState(edge, upstream, () => resultOf(draft, upstream));
    if (state === 'dead' || state === 'unfired') return upstream;
  }
  return null;
}

/**
 * Opens a new generation of an ended task. Downstream of it: what ended only because of its upstreams
 * comes back; what has finished is marked outdated (`keep`) or opened anew too (`reset`); what has not
 * started waits again. Reads the whole run.
 */
export function redoTasks(
  draft: Draft,
  id: string,
  downstream: 'keep' | 'reset',
  reason: string | null,
): void {
  const { runId } = draft.get('tasks', id);
  const after = downstreamInOrder(draft, runId, id);
  loadLives(draft, after);
  redo(draft, id, reason);
  for (const next of after) {
    if (downstream === 'reset') reset(draft, next, id);
    else keep(draft, next, id);
  }
  rescanRun(draft, runId);
}

function keep(draft: Draft, id: string, upstream: string): void {
  const task = draft.get('tasks', id);
  if (isEndedByUpstream(task)) redo(draft, id, null);
  else if (task.status === 'completed' && !task.outdated) {
    changeTask(draft, id, { outdated: true });
    draft.event('task.outdated', { run: task.runId, task: id }, { upstream });
  }
}

function reset(draft: Draft, id: string, upstream: string): void {
  const task = draft.get('tasks', id);
  if (isTerminalTask(task.status)) {
    redo(draft, id, `upstream ${draft.get('tasks', upstream).key} is redone`);
    return;
  }
  if (task.status === 'running' || task.status === 'waiting') recall(draft, task);
  if (draft.get('tasks', id).status === 'ready' || task.status === 'awaiting_approval') {
    blockTask(draft, id);
  }
  if (task.attemptId !== null) changeTask(draft, id, newGeneration(task));
}

/** Takes a task away from whoever works on it. */
function recall(draft: Draft, task: TaskRow): void {
  const reason = 'an upstream is redone';
  cancelCheckpointOf(draft, task, reason);
  if (task.attemptId !== null && isOpenAttempt(draft.get('attempts', task.attemptId).status)) {
    stopAttempt(draft, task.attemptId, 'cancelled', reason);
  }
  moveTask(draft, task.id, 'offer', 'ready', { reason: null });
}

function redo(draft: Draft, id: string, reason: string | null): void {
  const task = draft.get('tasks', id);
  const { generation } = moveTask(draft, id, 'redo', 'blocked', {
    ...newGeneration(task),
    feedback: reason,
  });
  draft.event('task.relaunched', { run: task.runId, task: id }, { generation, reason });
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
