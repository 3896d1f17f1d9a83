import type { PlanDependency, PlanTask } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { list, rows } from '../need.ts';
import { refuse } from '../refuse.ts';
import type { TaskRow } from '../rows.ts';
import { newRun } from '../run/new-run.ts';
import { repeatSpec, workerOf } from '../task/repeat-task.ts';
import { taskIdOf } from '../task/new-task.ts';
import type { Handler } from './handler.ts';
import { insertGraph, type Repeated } from './run-create.ts';

/** A new run of the same plan, linked to the old one: same engines, roles and workers, clean start. */
export const runRerun: Handler<'run.rerun'> = (draft, command) => {
  const old = draft.own('runs', command.run);
  if (old === null) return refuse('not_found', `There is no run ${command.run}.`);
  draft.load([
    list('tasksOfRun', old.id),
    list('specsOfRun', old.id),
    list('dependenciesOfRun', old.id),
  ]);
  const tasks = repeatable(draft, old.id);
  if (tasks.length === 0) {
    return refuse('wrong_status', `Run ${old.id} has no tasks that could be run again.`);
  }
  draft.load(
    rows(
      'attempts',
      tasks.map((it) => it.resultAttemptId ?? it.attemptId),
    ),
  );
  const made = newRun(
    draft,
    { ...old, budgets: old.budgets ?? undefined },
    old.planVersion === 0 ? 0 : 1,
  );
  const run = {
    ...made,
    source: 'rerun',
    rerunOf: old.id,
    lineageRoot: old.lineageRoot,
    origin: old.origin,
  };
  draft.create('runs', run);
  const keyOf = new Map(tasks.map((it) => [it.id, it.key]));
  const plan = tasks.map((it): PlanTask => ({ ...repeatSpec(draft, it), key: it.key }));
  const ids = new Map(tasks.map((it) => [it.key, taskIdOf(draft, undefined)]));
  const repeated = new Map(
    tasks.map((it): [string, Repeated] => [
      it.key,
      { rerunOf: it.id, assignedWorker: workerOf(draft, it) },
    ]),
  );
  insertGraph(draft, run, plan, ids, edgesAmong(draft, old.id, keyOf), repeated);
  return { run: run.id, ...(tasks.length === 1 ? { task: [...ids.values()][0] ?? '' } : {}) };
};

/** The tasks of a run's plan, in order: not what was replaced, deleted, or is itself a repetition. */
function repeatable(draft: Draft, run: string): TaskRow[] {
  return draft
    .list('tasksOfRun', run)
    .filter((it) => it.deletedAtMs === null && it.status !== 'superseded')
    .filter((it) => !isLocalRerun(draft, it))
    .toSorted((a, b) => a.position - b.position);
}

/** Whether a task repeats another one of the same run. */
function isLocalRerun(draft: Draft, task: TaskRow): boolean {
  const { rerunOf } = draft.get('taskSpecs', task.id);
  return draft.list('tasksOfRun', task.runId).some((it) => it.id === rerunOf);
}

function edgesAmong(
  draft: Draft,
  run: string,
  keyOf: ReadonlyMap<string, string>,
): PlanDependency[] {
  return draft.list('dependenciesOfRun', run).flatMap((edge): PlanDependency[] => {
    const upstream = keyOf.get(edge.upstreamId);
    const downstream = keyOf.get(edge.downstreamId);
    if (upstream === undefined || downstream === undefined) return [];
    return [
      {
        upstream,
        downstream,
        type: edge.type,
        on: edge.rule,
        ...(edge.contractKey === null ? {} : { contract_key: edge.contractKey }),
        ...(edge.inputName === null ? {} : { as: edge.inputName }),
      },
    ];
  });
}
