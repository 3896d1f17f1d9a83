import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { judgeBlocked } from '../graph/judge-blocked.ts';
import { needsIdOf } from '../matching/hard-needs.ts';
import { list, row, rows } from '../need.ts';
import { refuse } from '../refuse.ts';
import { reopenRun } from '../run/settle.ts';
import { insertTask } from '../task/change-task.ts';
import { addEdge, checkWantedEdge, isSatisfied, type WantedEdge } from '../task/join-run.ts';
import { freeKey } from '../graph/move-to-run.ts';
import { newTask, taskIdOf, tellCreated } from '../task/new-task.ts';
import { openTask, statusWhenOpen } from '../task/open-task.ts';
import { repeatSpec, workerOf } from '../task/repeat-task.ts';
import type { Handler } from './handler.ts';
import { refuseCheck } from './task-retry.ts';
import { sizeFault } from '../run/run-size.ts';

/**
 * A new task beside an old one and linked to it: same engine, role, worker and inputs, clean start.
 * Nothing that depends on the old one moves over.
 */
export const taskRerun: Handler<'task.rerun'> = (draft, command) => {
  const old = draft.own('tasks', command.task);
  if (old === null) return refuse('not_found', `There is no task ${command.task}.`);
  const check = refuseCheck(old, 'run again');
  if (check !== null) return check;
  draft.load([
    row('runs', old.runId),
    row('taskSpecs', old.id),
    list('tasksOfRun', old.runId),
    list('edgesIn', old.id),
    ...rows('attempts', [old.resultAttemptId ?? old.attemptId]),
  ]);
  const run = draft.get('runs', old.runId);
  if (run.status === 'cancelling') {
    return refuse('wrong_status', `Run ${run.id} is being cancelled; wait until it has ended.`);
  }
  const tooLarge = sizeFault(draft.context, { tasks: run.taskCount + 1 });
  if (tooLarge !== null) return tooLarge;
  const edges = wantedEdges(draft, old.id);
  for (const edge of edges) {
    const upstream = checkWantedEdge(draft, edge);
    if ('refused' in upstream) return upstream;
  }
  const spec = repeatSpec(draft, old);
  const assignedWorker = workerOf(draft, old);
  const keys = new Set(draft.list('tasksOfRun', run.id).map((it) => it.key));
  const key = freeKey(old.key, keys);
  const id = taskIdOf(draft, undefined);
  reopenRun(draft, run.id, `task_added:${key}`);
  const pending = edges.filter((edge) => !isSatisfied(draft, edge)).length;
  const { task, cold } = newTask(draft, draft.get('runs', run.id), {
    id,
    key,
    position: draft.get('runs', run.id).taskCount,
    spec,
    needsId: needsIdOf(draft, spec, assignedWorker),
    pending,
  });
  const { title, parentTaskId, origin } = draft.get('taskSpecs', old.id);
  insertTask(
    draft,
    { ...task, assignedWorker },
    { ...cold, title, parentTaskId, origin, rerunOf: old.id },
  );
  const status = pending > 0 ? 'blocked' : statusWhenOpen(task, spec, run.policy);
  tellCreated(draft, cold, key, status);
  for (const edge of edges) addEdge(draft, draft.get('runs', run.id), edge, id);
  if (pending > 0) judgeBlocked(draft, id);
  else if (openTask(draft, id)) cascade(draft, [id]);
  return { task: id, run: run.id };
};

function wantedEdges(draft: Draft, id: string): WantedEdge[] {
  return draft.list('edgesIn', id).map((edge) => ({
    upstream: edge.upstreamId,
    type: edge.type,
    on: edge.rule,
    contract_key: edge.contractKey ?? undefined,
    as: edge.inputName ?? undefined,
  }));
}
