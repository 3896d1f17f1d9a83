import {
  LIMITS,
  PRIORITIES,
  type CommandOf,
  type Plan,
  type PlanDependency,
  type PlanTask,
  type TaskSpec,
} from '@baton/contract';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { expandGoal, titleOf } from '../graph/expand-goal.ts';
import { validatePlan } from '../graph/validate-plan.ts';
import { needsIdsOf } from '../matching/hard-needs.ts';
import { row } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { RunRow, TaskRow, TaskSpecRow } from '../rows.ts';
import { insertTask } from '../task/change-task.ts';
import { openTask, statusWhenOpen } from '../task/open-task.ts';
import type { Handler } from './handler.ts';

/** A run with its whole graph, or nothing. */
export const runCreate: Handler<'run.create'> = (draft, command) => {
  const { body } = command;
  const unbuilt = unbuiltPart(command);
  if (unbuilt !== null) return refuse('not_supported', unbuilt);
  const { plan, fault } = expandGoal(body);
  if (fault !== null) return refuse('bad_request', fault);
  loadSchemas(draft, plan);
  const valid = validatePlan(plan, {
    engines: draft.context.engines(draft.project),
    schemaFault: draft.context.schemaFault,
  });
  if ('refused' in valid) return valid;
  const ids = new Map(plan.tasks.map((task) => [task.key, taskIdOf(draft, task.id)]));
  const taken = findTaken(draft, plan, ids);
  if (taken !== null) return taken;
  const run = newRun(draft, body, 1);
  draft.create('runs', run);
  insertGraph(draft, run, plan.tasks, ids, valid.dependencies);
  return { run: run.id, ...(plan.tasks.length === 1 ? firstTask(ids) : {}) };
};

function firstTask(ids: ReadonlyMap<string, string>): { task: string } | Record<string, never> {
  const [id] = ids.values();
  return id === undefined ? {} : { task: id };
}

function unbuiltPart({ body }: CommandOf<'run.create'>): string | null {
  if (body.plan === 'auto') {
    return 'Planning by a model comes with plan tasks; give a plan, or use "none" for one task of the goal.';
  }
  if (body.policy.on_task_failure === 'replan') {
    return 'Replanning is not built yet; use on_task_failure continue or fail_run.';
  }
  if (body.deliver === 'pull_request') {
    return 'Opening pull requests is not built yet; use deliver branch, merge or none.';
  }
  return null;
}

/** What a run consists of at its start. `planVersion` 0 marks one opened for a single task. */
export function newRun(
  draft: Draft,
  body: Pick<
    CommandOf<'run.create'>['body'],
    'goal' | 'input' | 'labels' | 'policy' | 'deliver' | 'budgets'
  >,
  planVersion: 0 | 1,
): RunRow {
  const id = draft.newId('run');
  return {
    id,
    projectId: draft.project,
    goal: body.goal,
    status: 'running',
    reason: null,
    planning: 'idle',
    source: 'api',
    input: body.input,
    labels: body.labels,
    policy: body.policy,
    budgets: body.budgets ?? null,
    deliver: body.deliver,
    delivery: { state: 'none' },
    deliveryOrder: null,
    deliveryWorkerId: null,
    bases: {},
    planVersion,
    seq: 0,
    taskCount: 0,
    openTasks: 0,
    outOfPlay: 0,
    activeTasks: 0,
    failedTasks: 0,
    cancelledTasks: 0,
    needsHuman: 0,
    usdMicros: 0,
    lineageRoot: id,
    rerunOf: null,
    origin: null,
    createdBy: draft.actor.name ?? draft.actor.id ?? draft.actor.kind,
    createdAtMs: draft.nowMs,
    startedAtMs: draft.nowMs,
    endedAtMs: null,
    updatedAtMs: draft.nowMs,
  };
}

/** Writes tasks and edges of a new run, tells them, and starts what depends on nothing. */
function insertGraph(
  draft: Draft,
  run: RunRow,
  tasks: readonly PlanTask[],
  ids: ReadonlyMap<string, string>,
  dependencies: readonly PlanDependency[],
): void {
  const idOf = (key: string): string => ids.get(key) ?? key;
  const pending = new Map<string, number>();
  for (const edge of dependencies) {
    if (isRequired(edge)) pending.set(edge.downstream, (pending.get(edge.downstream) ?? 0) + 1);
  }
  const free: string[] = [];
  const specs = tasks.map(({ key: _key, id: _id, ...spec }) => spec);
  const needsIds = needsIdsOf(draft, specs);
  const statuses = specs.map((spec, position) => {
    const key = tasks[position]?.key ?? '';
    const needsId = needsIds[position] ?? '';
    const count = pending.get(key) ?? 0;
    const id = idOf(key);
    const { task, cold } = newTask(draft, run, {
      id,
      key,
      position,
      spec,
      needsId,
      pending: count,
    });
    insertTask(draft, task, cold);
    if (count === 0) free.push(id);
    return count > 0 ? 'blocked' : statusWhenOpen(task, spec, run.policy);
  });
  for (const edge of dependencies) {
    putEdge(draft, run, idOf(edge.upstream), idOf(edge.downstream), edge);
  }
  draft.event(
    'run.created',
    { run: run.id },
    {
      goal: run.goal,
      status: 'running',
      task_count: tasks.length,
    },
  );
  tasks.forEach((task, position) => {
    tellCreated(
      draft,
      draft.get('taskSpecs', idOf(task.key)),
      task.key,
      statuses[position] ?? 'blocked',
    );
  });
  draft.event('run.started', { run: run.id }, {});
  cascade(
    draft,
    free.filter((id) => openTask(draft, id)),
  );
}

/** Tells that a task exists; `status` is where the same command leaves it. */
export function tellCreated(draft: Draft, row: TaskSpecRow, key: string, status: string): void {
  draft.event(
    'task.created',
    { run: row.runId, task: row.taskId },
    {
      key,
      title: row.title,
      status,
      priority: row.spec.priority,
    },
  );
}

interface NewTask {
  readonly id: string;
  readonly key: string;
  readonly position: number;
  readonly spec: TaskSpec;
  readonly needsId: string;
  readonly pending: number;
}

/** The two rows of a new task, blocked until it is opened. */
export function newTask(
  draft: Draft,
  run: RunRow,
  made: NewTask,
): { task: TaskRow; cold: TaskSpecRow } {
  const { id, key, spec } = made;
  const task: TaskRow = {
    id,
    runId: run.id,
    projectId: run.projectId,
    key,
    position: made.position,
    kind: spec.kind,
    status: 'blocked',
    reason: null,
    pausedFrom: null,
    generation: 1,
    epoch: 0,
    planVersion: run.planVersion,
    pending: made.pending,
    outOfPlay: false,
    approved: false,
    attemptCount: 0,
    freeRetries: 0,
    attemptId: null,
    resultAttemptId: null,
    workerId: null,
    assignedWorker: null,
    needsId: made.needsId,
    priority: PRIORITIES.indexOf(spec.priority),
    checkpointId: null,
    progress: null,
    outdated: false,
    failureClass: null,
    feedback: null,
    retryAtMs: null,
    usdMicros: 0,
    createdAtMs: draft.nowMs,
    readyAtMs: null,
    startedAtMs: null,
    endedAtMs: null,
    updatedAtMs: draft.nowMs,
  };
  const cold: TaskSpecRow = {
    taskId: id,
    runId: run.id,
    projectId: run.projectId,
    title: spec.title ?? (spec.spec === '' ? key : titleOf(spec.spec)),
    spec,
    review: { state: 'none', by: null, at: null, note: null },
    parentTaskId: spec.parent_task ?? null,
    rerunOf: null,
    origin: null,
  };
  return { task, cold };
}

/** Writes an edge that is not satisfied yet; one that asks for nothing is from the start. */
export function putEdge(
  draft: Draft,
  run: Pick<RunRow, 'id' | 'projectId' | 'planVersion'>,
  upstreamId: string,
  downstreamId: string,
  edge: Pick<PlanDependency, 'type' | 'on' | 'contract_key' | 'as'>,
) {
  const row = {
    id: draft.newId('dependency'),
    runId: run.id,
    projectId: run.projectId,
    upstreamId,
    downstreamId,
    type: edge.type,
    contractKey: edge.contract_key ?? null,
    inputName: edge.type === 'input' ? (edge.as ?? edge.contract_key ?? null) : null,
    rule: edge.on,
    satisfied: !isRequired(edge),
    planVersion: run.planVersion,
  };
  draft.put('dependencies', row);
  return row;
}

/** The internal id of a new task: `<project>.<chosen>` where the client chose one. */
export function taskIdOf(draft: Draft, chosen: string | undefined): string {
  if (chosen === undefined) return draft.newId('task');
  return chosen.includes('.') ? chosen : `${draft.project}.${chosen}`;
}

function loadSchemas(draft: Draft, plan: Plan): void {
  draft.load(
    plan.tasks.flatMap((task) =>
      task.outputs.flatMap(({ schema }) =>
        schema === undefined ? [] : [{ kind: 'schema' as const, schema }],
      ),
    ),
  );
}

function findTaken(draft: Draft, plan: Plan, ids: ReadonlyMap<string, string>): Refused | null {
  const chosen = plan.tasks.filter((task) => task.id !== undefined);
  draft.load(chosen.map((task) => row('tasks', ids.get(task.key) ?? '')));
  for (const task of chosen) {
    if (draft.find('tasks', ids.get(task.key) ?? '') !== null) {
      return refuse('already_exists', `There is a task ${task.id} already; choose another id.`, {
        task: task.id ?? '',
      });
    }
  }
  return null;
}

/** At most this many tasks in a run, however they are added. */
export const TASKS_MAX = LIMITS.tasksPerRunMax;
