import type { CommandOf, Plan, PlanDependency, PlanTask } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { expandGoal } from '../graph/expand-goal.ts';
import { validatePlan } from '../graph/validate-plan.ts';
import { needsIdOf, needsIdsOf } from '../matching/hard-needs.ts';
import { row } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { RunRow } from '../rows.ts';
import { withTask } from '../rows/changed-row.ts';
import { clampPolicy, overAsked } from '../run/model-limits.ts';
import { newRun } from '../run/new-run.ts';
import { isLarge, keepParts } from '../run/plan-steps.ts';
import { insertTask } from '../task/change-task.ts';
import { newTask, putEdge, taskIdOf, tellCreated } from '../task/new-task.ts';
import { openTask, statusWhenOpen } from '../task/open-task.ts';
import type { Handler } from './handler.ts';

/** A run with its whole graph, or nothing. */
export const runCreate: Handler<'run.create'> = (draft, command) => {
  const { body } = command;
  const unbuilt = unbuiltPart(command);
  if (unbuilt !== null) return refuse('not_supported', unbuilt);
  const { plan, fault } = expandGoal(body);
  if (fault !== null) return refuse('bad_request', fault);
  if (body.deliver === 'merge' && plan.tasks.every((task) => task.workspace?.repo === undefined)) {
    return refuse(
      'bad_request',
      'deliver: merge needs a repository to merge into, and no task names one: set workspace.repo (`baton run --repo PATH`), or deliver none.',
    );
  }
  loadSchemas(draft, plan);
  const valid = validatePlan(plan, {
    engines: draft.context.engines(draft.project),
    schemaFault: draft.context.schemaFault,
    runSize: draft.context.runSize,
  });
  if ('refused' in valid) return valid;
  const ids = new Map(plan.tasks.map((task) => [task.key, taskIdOf(draft, task.id)]));
  const taken = findTaken(draft, plan, ids);
  if (taken !== null) return taken;
  const policy = clampPolicy(body.policy);
  const run = newRun(draft, { ...body, policy }, 1);
  if (isLarge(plan.tasks.length, valid.dependencies.length)) {
    createInSteps(draft, run, plan.tasks, ids, valid.dependencies);
  } else {
    draft.create('runs', run);
    insertGraph(draft, run, plan.tasks, ids, valid.dependencies);
  }
  if (policy !== body.policy) {
    draft.event('run.limits_clamped', { run: run.id }, { limits: overAsked(body.policy) });
  }
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
  if (body.deliver === 'pull_request') {
    return 'Opening pull requests is not built yet; use deliver branch, merge or none.';
  }
  return null;
}

/** Makes the run and keeps its graph, which is written step by step. */
function createInSteps(
  draft: Draft,
  made: RunRow,
  tasks: readonly PlanTask[],
  ids: ReadonlyMap<string, string>,
  dependencies: readonly PlanDependency[],
): void {
  const run: RunRow = { ...made, status: 'planning', startedAtMs: null };
  draft.create('runs', run);
  const idOf = (key: string): string => ids.get(key) ?? key;
  const pending = new Map<string, number>();
  for (const edge of dependencies) {
    if (isRequired(edge)) pending.set(edge.downstream, (pending.get(edge.downstream) ?? 0) + 1);
  }
  const specs = tasks.map(({ key: _key, id: _id, ...spec }) => spec);
  const needsIds = needsIdsOf(draft, specs);
  const planned = specs.map((spec, position) => {
    const key = tasks[position]?.key ?? '';
    const needsId = needsIds[position] ?? '';
    return { id: idOf(key), key, position, pending: pending.get(key) ?? 0, needsId, spec };
  });
  const edges = dependencies.map((edge) => ({
    ...edge,
    upstream: idOf(edge.upstream),
    downstream: idOf(edge.downstream),
  }));
  const { goal, status } = run;
  draft.event('run.created', { run: run.id }, { goal, status, task_count: tasks.length });
  keepParts(draft, run, planned, edges);
}

/** What a task of a new run takes over from the one that it repeats. */
export interface Repeated {
  readonly rerunOf: string;
  readonly assignedWorker: string | null;
}

/** Writes tasks and edges of a new run, tells them, and starts what depends on nothing. */
export function insertGraph(
  draft: Draft,
  run: RunRow,
  tasks: readonly PlanTask[],
  ids: ReadonlyMap<string, string>,
  dependencies: readonly PlanDependency[],
  repeated: ReadonlyMap<string, Repeated> = new Map(),
): void {
  const idOf = (key: string): string => ids.get(key) ?? key;
  const pending = new Map<string, number>();
  for (const edge of dependencies) {
    if (isRequired(edge)) pending.set(edge.downstream, (pending.get(edge.downstream) ?? 0) + 1);
  }
  const free: string[] = [];
  const specs = tasks.map(({ key: _key, id: _id, ...spec }) => spec);
  const needsIds =
    repeated.size === 0
      ? needsIdsOf(draft, specs)
      : specs.map((spec, at) =>
          needsIdOf(draft, spec, repeated.get(tasks[at]?.key ?? '')?.assignedWorker ?? null),
        );
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
    const { rerunOf = null, assignedWorker = null } = repeated.get(key) ?? {};
    insertTask(draft, withTask(task, { assignedWorker }), { ...cold, rerunOf });
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

/** Loads what is wrong with the schemas of a plan's outputs. */
export function loadSchemas(draft: Draft, plan: Plan): void {
  draft.load(
    plan.tasks.flatMap((task) =>
      task.outputs.flatMap(({ schema }) =>
        schema === undefined ? [] : [{ kind: 'schema' as const, schema }],
      ),
    ),
  );
}

/** The refusal of an id that a client chose and that is in use, or null. */
export function findTaken(
  draft: Draft,
  plan: Plan,
  ids: ReadonlyMap<string, string>,
): Refused | null {
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
