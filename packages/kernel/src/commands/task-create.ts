import { runPolicy, taskKey, type CommandOf, type TaskSpec } from '@baton/contract';
import { judgeBlocked } from '../graph/judge-blocked.ts';
import type { Reply } from '../decision.ts';
import { chainOf } from '../delegation/chain.ts';
import { prepareSpawn } from '../delegation/spawn.ts';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { titleOf } from '../graph/expand-goal.ts';
import { checkTask } from '../graph/validate-plan.ts';
import { needsIdOf } from '../matching/hard-needs.ts';
import { row, rows } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { RunRow } from '../rows.ts';
import { newRun } from '../run/new-run.ts';
import { reopenRun } from '../run/settle.ts';
import { insertTask } from '../task/change-task.ts';
import {
  addEdge,
  checkWantedEdge,
  edgeIdentity,
  isSatisfied,
  type WantedEdge,
} from '../task/join-run.ts';
import { newTask, taskIdOf, tellCreated, type Lineage } from '../task/new-task.ts';
import { openTask, statusWhenOpen } from '../task/open-task.ts';
import { sizeFault } from '../run/run-size.ts';
import type { Handler } from './handler.ts';

type Body = CommandOf<'task.create'>['body'];

/** One task: in a given run, in the run of what it depends on, or in a new run of its own. */
export const taskCreate: Handler<'task.create'> = (draft, command) => {
  const { spawner } = command;
  if (spawner === undefined) return create(draft, command.body, lineageOf(draft, command.body));
  const spawn = prepareSpawn(draft, spawner, command.body, specOf);
  if ('refused' in spawn) return spawn;
  if ('reply' in spawn) return spawn.reply;
  const reply = create(draft, spawn.body, spawn.lineage);
  if (!('refused' in reply)) spawn.tell();
  return reply;
};

function create(draft: Draft, body: Body, lineage: Lineage): Reply | Refused {
  const spec = specOf(body);
  const checked = checkBody(draft, body, spec);
  if (checked !== null) return checked;
  const edges = wantedEdges(body);
  const home = findHome(draft, body, edges);
  if ('refused' in home) return home;
  const id = taskIdOf(draft, body.id);
  if (body.id !== undefined && draft.find('tasks', id) !== null) {
    return refuse('already_exists', `There is a task ${body.id} already; choose another id.`, {
      task: body.id,
    });
  }
  const fault = home.run === null ? null : checkRoom(draft, home.run, body.key);
  if (fault !== null) return fault;
  const key = keyOf(draft, body, id, home.run);
  const run = home.run === null ? openRun(draft, body, spec) : home.run;
  insertInto(draft, run, { id, key, spec, edges, lineage, isNew: home.run === null });
  return { task: id, run: run.id };
}

/** Where a task stands that a person puts below another one. */
function lineageOf(draft: Draft, body: Body): Lineage {
  if (body.parent_task === undefined) return {};
  const parent = draft.own('taskSpecs', body.parent_task);
  return parent === null
    ? {}
    : { depth: parent.depth + 1, chain: chainOf(draft, body.key, specOf(body)) };
}

function specOf(body: Body): TaskSpec {
  const {
    id: _id,
    key: _key,
    run: _run,
    goal: _goal,
    force: _force,
    depends_on: _edges,
    ...spec
  } = body;
  return spec;
}

function checkBody(draft: Draft, body: Body, spec: TaskSpec): Refused | null {
  draft.load(
    spec.outputs.flatMap(({ schema }) =>
      schema === undefined ? [] : [{ kind: 'schema' as const, schema }],
    ),
  );
  return checkTask(body.key ?? body.title ?? 'of the request', spec, {
    engines: draft.context.engines(draft.project),
    schemaFault: draft.context.schemaFault,
  });
}

function wantedEdges(body: Body): WantedEdge[] {
  const edges = body.depends_on.map((it): WantedEdge =>
    typeof it === 'string'
      ? { upstream: it, type: 'blocks', on: 'success' }
      : { upstream: it.task, type: it.type, on: it.on, contract_key: it.contract_key, as: it.as },
  );
  return [...new Map(edges.map((edge) => [edgeIdentity(edge), edge])).values()];
}

/** The run the task joins, or null when it opens its own. */
function findHome(
  draft: Draft,
  body: Body,
  edges: readonly WantedEdge[],
): { readonly run: RunRow | null } | Refused {
  loadUpstreams(draft, edges);
  const runs = new Set<string>();
  for (const edge of edges) {
    const upstream = checkWantedEdge(draft, edge);
    if ('refused' in upstream) return upstream;
    runs.add(upstream.runId);
  }
  if (body.run !== undefined) {
    if (draft.own('runs', body.run) === null) {
      return refuse('not_found', `There is no run ${body.run}.`);
    }
    runs.add(body.run);
  }
  if (runs.size > 1) {
    return refuse(
      'cannot_move',
      `Dependencies never cross runs, and these are in ${runs.size}: ${[...runs].join(', ')}.`,
      { runs: [...runs] },
    );
  }
  const [id] = runs;
  return { run: id === undefined ? null : draft.get('runs', id) };
}

/** Loads all upstreams at once: their specs, and the results that gates look at. */
function loadUpstreams(draft: Draft, edges: readonly WantedEdge[]): void {
  draft.load(edges.flatMap(({ upstream }) => [row('tasks', upstream), row('taskSpecs', upstream)]));
  const upstreams = edges
    .filter((edge) => edge.type === 'gate')
    .map((edge) => draft.find('tasks', edge.upstream)?.resultAttemptId ?? null);
  draft.load(rows('attempts', upstreams));
}

function checkRoom(draft: Draft, run: RunRow, key: string | undefined): Refused | null {
  if (run.status === 'cancelling') {
    return refuse('wrong_status', `Run ${run.id} is being cancelled; nothing can be added to it.`);
  }
  const tooLarge = sizeFault(draft.context, { tasks: run.taskCount + 1 });
  if (tooLarge !== null) return tooLarge;
  return key !== undefined && isTaken(draft, run, key)
    ? refuse('duplicate_key', `Run ${run.id} has a task with the key ${key} already.`, { key })
    : null;
}

function isTaken(draft: Draft, run: RunRow, key: string): boolean {
  return draft.list('tasksOfRun', run.id).some((it) => it.key === key && it.deletedAtMs === null);
}

/** A key where none is given: the client's id, else words of the title and the end of the id. */
function keyOf(draft: Draft, body: Body, id: string, run: RunRow | null): string {
  if (body.key !== undefined) return body.key;
  const chosen = body.id?.slice(body.id.lastIndexOf('.') + 1);
  const isKey = chosen !== undefined && taskKey.safeParse(chosen).success;
  if (isKey && (run === null || !isTaken(draft, run, chosen))) return chosen;
  const words = (body.title ?? 'task').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  // The end of an id is random: nobody need look at the other keys.
  const end = id
    .slice(-8)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0');
  return `${words.replaceAll(/^-+/g, '').slice(0, 40).replace(/-+$/, '') || 'task'}-${end}`;
}

function openRun(draft: Draft, body: Body, spec: TaskSpec): RunRow {
  const goal = body.goal ?? spec.title ?? titleOf(spec.spec);
  const policy = runPolicy.parse({});
  const run = newRun(draft, { goal, input: {}, labels: {}, policy, deliver: 'branch' }, 0);
  draft.create('runs', run);
  return run;
}

interface Inserted {
  readonly id: string;
  readonly key: string;
  readonly spec: TaskSpec;
  readonly edges: readonly WantedEdge[];
  readonly lineage: Lineage;
  readonly isNew: boolean;
}

function insertInto(draft: Draft, run: RunRow, made: Inserted): void {
  const { id, key, spec, edges, lineage, isNew } = made;
  if (!isNew) reopenRun(draft, run.id, `task_added:${key}`);
  const pending = edges.filter((edge) => !isSatisfied(draft, edge)).length;
  const position = draft.get('runs', run.id).taskCount;
  const needsId = needsIdOf(draft, spec, null);
  const { task, cold } = newTask(draft, run, {
    id,
    key,
    position,
    spec,
    needsId,
    pending,
    lineage,
  });
  insertTask(draft, task, cold);
  if (isNew) {
    const { goal } = run;
    draft.event('run.created', { run: run.id }, { goal, status: 'running', task_count: 1 });
  }
  const status = pending > 0 ? 'blocked' : statusWhenOpen(task, spec, run.policy);
  tellCreated(draft, cold, key, status);
  if (isNew) draft.event('run.started', { run: run.id }, {});
  for (const edge of edges) addEdge(draft, run, edge, id);
  if (pending > 0) judgeBlocked(draft, id);
  else if (openTask(draft, id)) cascade(draft, [id]);
}
