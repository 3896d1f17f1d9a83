import type { Actor, PlanTask, RunCreate } from '@baton/contract';
import { createHash, randomUUID } from 'node:crypto';
import {
  decide,
  expandGoal,
  fits,
  hardNeedsOf,
  type Context,
  type TableName,
  type Tables,
  type World,
} from '@baton/kernel';
import type { App } from '../app.ts';
import { advertisedEngines, isAble, knownWorkers } from './known-workers.ts';

interface Checked {
  readonly ok: boolean;
  readonly problems: { readonly code: string; readonly detail: string }[];
  readonly task_count: number;
  readonly uncovered: string[];
}

/** Ids that clients chose, looked up in a dry run; more are left to the submission itself. */
const chosenIdsMax = 500;

/** What a submission would be answered with, without making anything, and who could do its tasks. */
export async function checkSubmission(
  app: App,
  project: string,
  actor: Actor,
  body: RunCreate,
): Promise<Checked> {
  const { tasks } = expandGoal(body).plan;
  const workers = await knownWorkers(app, project);
  const engines = [...new Set([...app.engines, ...advertisedEngines(workers)])];
  const [faults, taken] = await Promise.all([
    schemaFaults(app, tasks),
    takenIds(app, project, tasks),
  ]);
  const world: World = {
    // Nothing else is looked up for a new run; what is not there is not in the way.
    row: <T extends TableName>(table: T, id: string) =>
      (table === 'tasks' ? (taken.get(id) ?? null) : null) as Tables[T] | null,
    list: () => [],
  };
  const decision = decide(
    world,
    { type: 'run.create', project, actor, body },
    { ...dryContext(app.coordinator.nowMs(), engines, faults), runSize: app.runSize },
  );
  const able = workers.filter(isAble);
  return {
    ok: decision.kind === 'accepted',
    problems:
      decision.kind === 'refused'
        ? [{ code: decision.refusal.code, detail: decision.refusal.message }]
        : [],
    task_count: tasks.length,
    uncovered: tasks
      .filter(({ kind }) => kind !== 'human' && kind !== 'join')
      .filter((task) => !able.some(({ worker }) => fits(hardNeedsOf(task, null), worker)))
      .map(({ key }) => key),
  };
}

/** Makes ids that nobody will see; the clock stands still. */
function dryContext(
  nowMs: number,
  engines: readonly string[],
  faults: ReadonlyMap<string, string | null>,
): Context {
  let seq = 0;
  return {
    nowMs,
    incarnation: 1,
    newId: (kind) => `${kind}_${randomUUID()}`,
    random: () => 0,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    nextSeq: () => seq++,
    violations: () => [],
    schemaFault: (schema) => faults.get(JSON.stringify(schema)) ?? null,
    engines: () => engines,
    silentMs: 0,
    offlineMs: 0,
    heartbeatMs: 0,
    limitedKeys: () => new Set(),
    turnsOf: () => ({ pass: 0, risenPass: 0 }),
  };
}

async function schemaFaults(
  app: App,
  tasks: readonly PlanTask[],
): Promise<ReadonlyMap<string, string | null>> {
  const schemas = new Map<string, unknown>();
  for (const { outputs } of tasks) {
    for (const { schema } of outputs) {
      if (schema !== undefined) schemas.set(JSON.stringify(schema), schema);
    }
  }
  const faults = new Map<string, string | null>();
  for (const [text, schema] of schemas) faults.set(text, await app.validator.schemaFault(schema));
  return faults;
}

async function takenIds(app: App, project: string, tasks: readonly PlanTask[]) {
  const chosen = tasks.flatMap(({ id }) => (id === undefined ? [] : [`${project}.${id}`]));
  const reads = await Promise.all(
    chosen.slice(0, chosenIdsMax).map((id) => app.reads.findTask(project, id)),
  );
  return new Map(reads.flatMap((read) => (read === undefined ? [] : [[read.task.id, read.task]])));
}
