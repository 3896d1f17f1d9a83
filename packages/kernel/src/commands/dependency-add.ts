import { isTerminalTask } from '@baton/contract';
import { judgeBlocked } from '../graph/judge-blocked.ts';
import type { Draft } from '../draft.ts';
import { blockTask } from '../graph/rescan.ts';
import { findPath } from '../graph/find-path.ts';
import { moveToRun } from '../graph/move-to-run.ts';
import { refuseCycle } from '../graph/validate-plan.ts';
import { list, row } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { TaskRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import { addEdge, checkWantedEdge, isSatisfied, type WantedEdge } from '../task/join-run.ts';
import { sizeFault } from '../run/run-size.ts';
import type { Handler } from './handler.ts';

/** An edge into a task that has not started. The same edge again is answered with the first. */
export const dependencyAdd: Handler<'dependency.add'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const { body } = command;
  const edge: WantedEdge = {
    upstream: body.upstream,
    type: body.type,
    on: body.on,
    contract_key: body.contract_key,
    as: body.as,
  };
  if (edge.upstream === task.id) return refuseCycle([task.key, task.key]);
  const upstream = checkWantedEdge(draft, edge);
  if ('refused' in upstream) return upstream;
  const reply = { task: task.id, run: upstream.runId };
  draft.load([
    list('edgesIn', task.id),
    row('taskSpecs', task.id),
    row('runs', task.runId),
    row('runs', upstream.runId),
  ]);
  const same = draft
    .list('edgesIn', task.id)
    .find(
      (it) =>
        it.upstreamId === edge.upstream &&
        it.type === edge.type &&
        it.contractKey === (edge.contract_key ?? null),
    );
  if (same !== undefined) return { ...reply, dependency: same.id, already: true };
  const fault =
    startedFault(task) ?? (edge.type === 'related' ? null : graphFault(draft, upstream, task));
  if (fault !== null) return fault;
  if (upstream.runId !== task.runId) {
    const stuck = moveToRun(draft, task, upstream.runId);
    if (stuck !== null) return stuck;
  }
  return { ...reply, dependency: connect(draft, edge, task.id) };
};

function startedFault(task: TaskRow): Refused | null {
  const { status } = task;
  if (task.verifies !== null) {
    return refuse(
      'wrong_status',
      `Task ${task.key} only checks another one; let the task that it checks wait instead.`,
      { verifies: task.verifies.task },
    );
  }
  if (status === 'blocked' || status === 'awaiting_approval' || status === 'ready') return null;
  const wayOut = isTerminalTask(status) ? 'retry it' : 'cancel it and retry it';
  return refuse(
    'wrong_status',
    `Task ${task.key} is ${status}, too late to make it wait; ${wayOut} once the dependency can be added, ` +
      'or create a new task with depends_on.',
    { status },
  );
}

function graphFault(draft: Draft, upstream: TaskRow, task: TaskRow): Refused | null {
  if (upstream.runId !== task.runId) return null;
  draft.load([list('tasksOfRun', task.runId), list('dependenciesOfRun', task.runId)]);
  const edges = draft.list('dependenciesOfRun', task.runId);
  const tooLarge = sizeFault(draft.context, { dependencies: edges.length + 1 });
  if (tooLarge !== null) return tooLarge;
  const path = findPath(edges, task.id, upstream.id);
  if (path === null) return null;
  return refuseCycle([...path, task.id].map((id) => draft.get('tasks', id).key));
}

function connect(draft: Draft, edge: WantedEdge, taskId: string): string {
  const task = draft.get('tasks', taskId);
  const id = addEdge(draft, draft.get('runs', task.runId), edge, taskId);
  if (isSatisfied(draft, edge)) return id;
  if (task.status !== 'blocked') blockTask(draft, taskId);
  changeTask(draft, taskId, { pending: draft.get('tasks', taskId).pending + 1 });
  judgeBlocked(draft, taskId);
  return id;
}
