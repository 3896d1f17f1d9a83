import { isTerminalTask, nearestName, type CommandOf, type PlanDependency } from '@baton/contract';
import { closeCheckpoint } from '../checkpoint/close-checkpoint.ts';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { rescanRun } from '../graph/rescan.ts';
import { isEndedByUpstream } from '../graph/scan-run.ts';
import { validatePlan, type GraphAround } from '../graph/validate-plan.ts';
import { needsIdsOf } from '../matching/hard-needs.ts';
import { list } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { DependencyRow, RunRow, TaskRow } from '../rows.ts';
import { modelPlanFault } from '../run/model-limits.ts';
import { sizeFault } from '../run/run-size.ts';
import { reopenRun } from '../run/settle.ts';
import { insertTask, moveTask } from '../task/change-task.ts';
import { leaveLife, loadLives } from '../task/end-task.ts';
import { newTask, putEdge, taskIdOf, tellCreated } from '../task/new-task.ts';
import { openTask, statusWhenOpen } from '../task/open-task.ts';
import { loadRun } from '../task/redo-task.ts';
import type { Handler } from './handler.ts';
import { findTaken, loadSchemas } from './run-create.ts';
import { refuseCheck } from './task-retry.ts';

/**
 * The next version of a run's plan: tasks are added, others superseded by them. It is an answer to the
 * version that it names; what is replaced must be quiet, and what is finished stays.
 */
export const runReplan: Handler<'run.replan'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  const { body } = command;
  const early = versionFault(run, body.plan_version);
  if (early !== null) return early;
  const excess = modelPlanFault(run, body.plan, command.actor);
  if (excess !== null) return { refused: excess };
  loadRun(draft, run.id);
  draft.load([list('openAttemptsOfRun', run.id)]);
  const replaced = findReplaced(draft, run, body.supersede);
  if ('refused' in replaced) return replaced;
  const around = graphAround(draft, run, replaced);
  loadSchemas(draft, body.plan);
  const valid = validatePlan(
    body.plan,
    {
      engines: draft.context.engines(draft.project),
      schemaFault: draft.context.schemaFault,
      runSize: draft.context.runSize,
    },
    around,
  );
  if ('refused' in valid) return valid;
  const ids = new Map(body.plan.tasks.map((task) => [task.key, taskIdOf(draft, task.id)]));
  const edges = withoutKnown(draft, run, valid.dependencies);
  const fault =
    findTaken(draft, body.plan, ids) ??
    sizeFault(draft.context, {
      tasks: run.taskCount + body.plan.tasks.length,
      dependencies: draft.list('dependenciesOfRun', run.id).length + edges.length,
    }) ??
    startedFault(draft, run, edges) ??
    boundaryFault(draft, run, replaced, edges);
  if (fault !== null) return fault;
  replan(draft, run, command, replaced, ids, edges);
  return { run: run.id };
};

function versionFault(run: RunRow, version: number): Refused | null {
  if (run.status === 'cancelling' || run.status === 'planning') {
    return refuse('wrong_status', `Run ${run.id} is ${run.status}; it cannot be replanned now.`, {
      status: run.status,
    });
  }
  if (version === run.planVersion) return null;
  return refuse(
    'plan_conflict',
    `Run ${run.id} has plan version ${run.planVersion}, and this plan answers version ${version}; ` +
      'look at the run again and plan for what it is now.',
    { plan_version: run.planVersion },
  );
}

/** The tasks that a plan replaces: those named, else what failed and what cannot start because of it. */
function findReplaced(
  draft: Draft,
  run: RunRow,
  keys: readonly string[] | undefined,
): readonly TaskRow[] | Refused {
  const tasks = draft
    .list('tasksOfRun', run.id)
    .filter((it) => it.deletedAtMs === null)
    .toSorted((a, b) => a.position - b.position);
  if (keys === undefined) {
    return tasks.filter(
      (it) =>
        it.verifies === null && (it.status === 'failed' || it.outOfPlay || isEndedByUpstream(it)),
    );
  }
  const byKey = new Map(tasks.map((it) => [it.key, it]));
  const busy = new Set(draft.list('openAttemptsOfRun', run.id).map((it) => it.taskId));
  const found: TaskRow[] = [];
  for (const key of new Set(keys)) {
    const task = byKey.get(key);
    if (task === undefined) {
      const nearest = nearestName(key, [...byKey.keys()]);
      const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
      return refuse('unknown_task', `Run ${run.id} has no task ${key} to supersede.${hint}`, {
        key,
      });
    }
    const check = refuseCheck(task, 'superseded');
    if (check !== null) return check;
    const isLive = task.status === 'running' || task.status === 'verifying' || busy.has(task.id);
    if (isLive || task.status === 'completed') {
      const why = isLive
        ? 'an agent still works on it; cancel or pause it first'
        : 'finished work is kept; leave it out, and depend on it if you need what it made';
      return refuse(
        'wrong_status',
        `Task ${key} is ${task.status} and cannot be superseded: ${why}.`,
        {
          task: key,
          status: task.status,
        },
      );
    }
    if (task.status !== 'superseded') found.push(task);
  }
  return found;
}

/** What stays of the run, for the new plan to build on. */
function graphAround(draft: Draft, run: RunRow, replaced: readonly TaskRow[]): GraphAround {
  const gone = new Set(replaced.map((it) => it.id));
  const tasks = draft.list('tasksOfRun', run.id);
  const keys = new Map(tasks.map((it) => [it.id, it.key]));
  const stays = tasks.filter(
    (it) =>
      !gone.has(it.id) &&
      it.deletedAtMs === null &&
      it.verifies === null &&
      it.status !== 'superseded',
  );
  return {
    taken: new Set(tasks.map((it) => it.key)),
    tasks: new Map(stays.map((it) => [it.key, draft.get('taskSpecs', it.id).spec])),
    edges: draft
      .list('dependenciesOfRun', run.id)
      .filter((it) => isRequired(it) && !gone.has(it.upstreamId) && !gone.has(it.downstreamId))
      .map((it) => ({
        from: keys.get(it.upstreamId) ?? '',
        to: keys.get(it.downstreamId) ?? '',
      })),
  };
}

/** An edge that the run has already is that one, whatever came of it. */
function withoutKnown(
  draft: Draft,
  run: RunRow,
  edges: readonly PlanDependency[],
): readonly PlanDependency[] {
  const identity = (from: string, to: string, type: string, contract: string | null): string =>
    [from, to, type, contract ?? ''].join(' ');
  const keys = new Map(draft.list('tasksOfRun', run.id).map((it) => [it.id, it.key]));
  const known = new Set(
    draft
      .list('dependenciesOfRun', run.id)
      .map((it) =>
        identity(
          keys.get(it.upstreamId) ?? '',
          keys.get(it.downstreamId) ?? '',
          it.type,
          it.contractKey,
        ),
      ),
  );
  return edges.filter(
    (it) => !known.has(identity(it.upstream, it.downstream, it.type, it.contract_key ?? null)),
  );
}

/** A task that stays can be made to wait for a new one only as long as it has not started. */
function startedFault(draft: Draft, run: RunRow, edges: readonly PlanDependency[]): Refused | null {
  const byKey = new Map(draft.list('tasksOfRun', run.id).map((it) => [it.key, it]));
  for (const { downstream, type } of edges) {
    const task = byKey.get(downstream);
    if (task === undefined || type === 'related') continue;
    const { status } = task;
    if (status === 'blocked' || status === 'awaiting_approval' || status === 'ready') continue;
    return refuse(
      'wrong_status',
      `Task ${downstream} is ${status}, too late to make it wait for something new.`,
      { task: downstream, status },
    );
  }
  return null;
}

/** What stays and waits for what goes would wait for ever: the plan must say what it waits for instead. */
function boundaryFault(
  draft: Draft,
  run: RunRow,
  replaced: readonly TaskRow[],
  edges: readonly PlanDependency[],
): Refused | null {
  const given = new Set(edges.map((it) => it.downstream));
  for (const edge of boundaryOf(draft, run, replaced)) {
    const task = draft.get('tasks', edge.downstreamId);
    if (given.has(task.key)) continue;
    const upstream = draft.get('tasks', edge.upstreamId);
    return refuse(
      'wrong_status',
      `Task ${task.key} waits for ${upstream.key}, which is superseded; supersede ${task.key} too, ` +
        'or give it a dependency in the new plan.',
      { task: task.key, upstream: upstream.key },
    );
  }
  return null;
}

function boundaryOf(draft: Draft, run: RunRow, replaced: readonly TaskRow[]): DependencyRow[] {
  const gone = new Set(replaced.map((it) => it.id));
  return draft
    .list('dependenciesOfRun', run.id)
    .filter(
      (it) =>
        isRequired(it) && !it.satisfied && gone.has(it.upstreamId) && !gone.has(it.downstreamId),
    )
    .filter((it) => !isTerminalTask(draft.get('tasks', it.downstreamId).status));
}

function replan(
  draft: Draft,
  run: RunRow,
  command: CommandOf<'run.replan'>,
  replaced: readonly TaskRow[],
  ids: ReadonlyMap<string, string>,
  edges: readonly PlanDependency[],
): void {
  const { tasks } = command.body.plan;
  const planVersion = run.planVersion + 1;
  for (const edge of boundaryOf(draft, run, replaced)) draft.remove('dependencies', edge.id);
  reopenRun(draft, run.id, `replanned:${planVersion}`);
  draft.put('runs', { ...draft.get('runs', run.id), planVersion });
  draft.event(
    'run.replanned',
    { run: run.id },
    {
      plan_version: planVersion,
      added: tasks.map((it) => it.key),
      superseded: replaced.map((it) => it.key),
    },
  );
  supersede(draft, replaced, planVersion);
  const now = draft.get('runs', run.id);
  draft.put('runs', { ...now, reason: now.failedTasks === 0 ? null : now.reason });
  add(draft, run.id, command, ids, edges);
}

function supersede(draft: Draft, replaced: readonly TaskRow[], planVersion: number): void {
  const reason = `replanned:${planVersion}`;
  loadLives(
    draft,
    replaced.map((it) => it.id),
  );
  for (const { id, runId, checkpointId, endedAtMs } of replaced) {
    if (checkpointId !== null) closeCheckpoint(draft, checkpointId, 'supersede', null, reason);
    if (endedAtMs === null) leaveLife(draft, id, 'cancelled', reason);
    moveTask(draft, id, 'supersede', 'superseded', {
      reason,
      retryAtMs: null,
      ...(endedAtMs === null ? {} : { endedAtMs }),
    });
    draft.event('task.superseded', { run: runId, task: id }, { plan_version: planVersion });
  }
}

/** Writes what is new and has the whole run looked at again: what it satisfies, blocks or starts. */
function add(
  draft: Draft,
  runId: string,
  command: CommandOf<'run.replan'>,
  ids: ReadonlyMap<string, string>,
  edges: readonly PlanDependency[],
): void {
  const { tasks } = command.body.plan;
  const run = draft.get('runs', runId);
  const known = new Map(draft.list('tasksOfRun', runId).map((it) => [it.key, it.id]));
  const idOf = (key: string): string => ids.get(key) ?? known.get(key) ?? key;
  const first = Math.max(-1, ...draft.list('tasksOfRun', runId).map((it) => it.position)) + 1;
  const pending = new Map<string, number>();
  for (const edge of edges.filter(isRequired)) {
    pending.set(edge.downstream, (pending.get(edge.downstream) ?? 0) + 1);
  }
  const specs = tasks.map(({ key: _key, id: _id, ...spec }) => spec);
  const needsIds = needsIdsOf(draft, specs);
  const free: string[] = [];
  tasks.forEach(({ key }, at) => {
    const spec = specs[at];
    if (spec === undefined) return;
    const count = pending.get(key) ?? 0;
    const made = newTask(draft, run, {
      id: idOf(key),
      key,
      position: first + at,
      spec,
      needsId: needsIds[at] ?? '',
      pending: count,
    });
    insertTask(draft, made.task, made.cold);
    if (count === 0) free.push(made.task.id);
    const status = count > 0 ? 'blocked' : statusWhenOpen(made.task, spec, run.policy);
    tellCreated(draft, made.cold, key, status);
  });
  for (const edge of edges) putEdge(draft, run, idOf(edge.upstream), idOf(edge.downstream), edge);
  cascade(
    draft,
    free.filter((id) => openTask(draft, id)),
  );
  rescanRun(draft, runId);
}
