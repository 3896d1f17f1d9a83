import { isTerminalRun, type DeliveryOrder, type DeliveryState } from '@baton/contract';
import { isHandedOn } from '../delegation/chain.ts';
import type { Draft } from '../draft.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { list, lists, rows } from '../need.ts';
import type { RunRow, TaskRow } from '../rows.ts';
import { setTimer } from '../timer.ts';
import { commitOf, findUndelivered, standing } from './undelivered.ts';

/** A worker that holds a commit must deliver it within this time. */
const deliveryMsMax = 10 * 60_000;
/** How a commit that was not taken is marked, so that it is not ordered again. */
const refusedMark = 'not delivered: ';

/**
 * Delivers the commit of a task that has just completed, if its run delivers and nothing builds on it:
 * an `integrate` task, or one that no other waits for. One order at a time; the others follow.
 */
export function deliverResult(draft: Draft, taskId: string): void {
  const task = draft.get('tasks', taskId);
  const run = draft.get('runs', task.runId);
  if (run.deliver === 'none' || !isDelivering(draft, task)) return;
  if (run.delivery.state === 'pending') return;
  order(draft, run, task, branchOf(draft, run, task));
}

/**
 * Delivers what a run that is about to end made and did not deliver yet; one order at a time. Answers
 * whether there was something.
 */
export function deliverRest(draft: Draft, runId: string): boolean {
  const run = draft.get('runs', runId);
  if (run.deliver !== 'branch' && run.deliver !== 'merge') return false;
  const { tips, isFirst } = findUndelivered(draft, run);
  const [next] = tips;
  if (next === undefined) return false;
  const isOnly = isFirst && tips.length === 1;
  const branch = isOnly ? undefined : commitOf(draft, next)?.branch;
  order(draft, run, next, branch ?? mergedBranch(run));
  return true;
}

/** Takes in a worker's report; orders the next commit that waits, else the run's delivery is done. */
export function closeDelivery(draft: Draft, runId: string, delivery: DeliveryState): void {
  const run = draft.get('runs', runId);
  const done = run.deliveryOrder;
  if (done === null) return;
  const isRefused = delivery.state === 'refused';
  const words = isRefused
    ? `${refusedMark}${delivery.detail ?? ''}`
    : (delivery.branch ?? done.branch);
  const isStanding = markDelivered(draft, done, words);
  for (const timer of draft.list('timersOfRun', runId)) {
    if (timer.kind === 'delivery_deadline') draft.remove('timers', timer.id);
  }
  draft.put('runs', { ...run, delivery, deliveryOrder: null, deliveryWorkerId: null });
  draft.touchRun(runId);
  const type = isRefused ? 'run.delivery_refused' : 'run.delivered';
  draft.event(type, { run: runId, task: done.task }, { delivery });
  // The one task of a run has nothing more to deliver, unless it was done anew meanwhile.
  // Of a run that is given up nothing more is delivered.
  const isGivenUp = run.status === 'cancelling' || isTerminalRun(run.status);
  if (!isGivenUp && (run.taskCount > 1 || !isStanding)) orderNext(draft, runId, delivery);
}

function orderNext(draft: Draft, runId: string, last: DeliveryState): void {
  const run = draft.get('runs', runId);
  draft.load([list('tasksOfRun', runId)]);
  const tasks = draft.list('tasksOfRun', runId);
  // What was deleted meanwhile may be purged at any time.
  const ended = tasks.filter(
    (it) => it.status === 'completed' && it.resultAttemptId !== null && it.deletedAtMs === null,
  );
  draft.load(
    rows(
      'attempts',
      ended.map((it) => it.resultAttemptId),
    ),
  );
  const candidates = ended.filter((it) => commitOf(draft, it)?.delivered === undefined);
  const candidateIds = candidates.map((it) => it.id);
  draft.load([...lists('edgesOut', candidateIds), ...rows('taskSpecs', candidateIds)]);
  const waiting = candidates
    .toSorted((a, b) => a.position - b.position)
    .find((it) => isDelivering(draft, it));
  if (waiting !== undefined) {
    order(draft, run, waiting, branchOf(draft, run, waiting));
    return;
  }
  const refused = ended.map((it) => commitOf(draft, it)?.delivered).find(isRefusal);
  if (refused === undefined || last.state === 'refused') return;
  const detail = refused.slice(refusedMark.length);
  draft.put('runs', { ...run, delivery: { ...last, state: 'refused', detail } });
}

function order(draft: Draft, run: RunRow, task: TaskRow, branch: string): void {
  const commit = commitOf(draft, task);
  if (commit === null || (run.deliver !== 'branch' && run.deliver !== 'merge')) return;
  const attempt = standing(draft, task);
  const { spec } = draft.get('taskSpecs', task.id);
  const made: DeliveryOrder = {
    run: run.id,
    task: task.id,
    mode: run.deliver,
    commit,
    ref: spec.workspace?.ref ?? null,
    branch,
  };
  const workerId = attempt?.workerId ?? null;
  draft.put('runs', {
    ...draft.get('runs', run.id),
    delivery: { state: 'pending', repo: commit.repo, commit: commit.commit, branch: made.branch },
    deliveryOrder: made,
    deliveryWorkerId: workerId,
  });
  setTimer(draft, task, {
    kind: 'delivery_deadline',
    dueAtMs: draft.nowMs + deliveryMsMax,
    guard: task.generation,
  });
  draft.event('run.delivering', { run: run.id, task: task.id }, { worker: workerId, order: made });
}

/** The run's own branch, or the task's where several results are delivered. */
function branchOf(draft: Draft, run: RunRow, task: TaskRow): string {
  const isOnly = task.kind === 'integrate' || isOnlyDelivering(draft, run, task);
  const own = commitOf(draft, task)?.branch;
  return isOnly || own === undefined ? mergedBranch(run) : own;
}

function mergedBranch(run: RunRow): string {
  return `baton/${run.id}/merged`;
}

/** Whether a completed task's commit is one that the run delivers. */
function isDelivering(draft: Draft, task: TaskRow): boolean {
  const commit = commitOf(draft, task);
  // What a check leaves in its workspace is no work.
  if (task.verifies !== null) return false;
  if (commit === null || commit.delivered !== undefined) return false;
  if (task.kind === 'integrate') return true;
  if (isHandedOn(draft.get('taskSpecs', task.id))) return false;
  return commit.commit !== commit.base && isLast(draft, task.id);
}

function isLast(draft: Draft, taskId: string): boolean {
  return !draft
    .list('edgesOut', taskId)
    .some((edge) => isRequired(edge) && edge.rule === 'success');
}

/** Whether no other task of the run could deliver: then the branch needs no name of a task. */
function isOnlyDelivering(draft: Draft, run: RunRow, task: TaskRow): boolean {
  if (run.taskCount === 1) return true;
  draft.load([list('tasksOfRun', run.id), list('dependenciesOfRun', run.id)]);
  const withDependents = new Set(
    draft
      .list('dependenciesOfRun', run.id)
      .filter((edge) => isRequired(edge) && edge.rule === 'success')
      .map((edge) => edge.upstreamId),
  );
  const others = draft
    .list('tasksOfRun', run.id)
    .filter(
      (it) =>
        it.id !== task.id && it.kind !== 'human' && it.kind !== 'join' && it.verifies === null,
    )
    .filter((it) => it.kind === 'integrate' || !withDependents.has(it.id));
  draft.load(
    rows(
      'taskSpecs',
      others.map((it) => it.id),
    ),
  );
  return others.every((it) => draft.get('taskSpecs', it.id).spec.workspace?.repo === undefined);
}

/** Marks the commit of an order, if it still is the task's result. Answers whether it is. */
function markDelivered(draft: Draft, { task: taskId, commit: sent }: DeliveryOrder, words: string) {
  const task = draft.get('tasks', taskId);
  const attempt = standing(draft, task);
  const commit = attempt?.result?.commit;
  if (attempt === null || attempt.result === null || commit === undefined) return false;
  if (commit.commit !== sent.commit) return false;
  const result = { ...attempt.result, commit: { ...commit, delivered: words } };
  draft.put('attempts', { ...attempt, result });
  return true;
}

function isRefusal(words: string | undefined): words is string {
  return words?.startsWith(refusedMark) === true;
}
