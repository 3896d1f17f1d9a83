import {
  type OutputSpec,
  type Plan,
  type PlanDependency,
  type PlanTask,
  nearestName,
} from '@baton/contract';
import { refuse, type Refused } from '../refuse.ts';
import { wantedEngine } from '../matching/hard-needs.ts';
import { sizeFault } from '../run/run-size.ts';
import { policyFault } from '../verification/policy.ts';
import type { RunSize } from '../world.ts';
import { findCycle } from './find-cycle.ts';

/** What is checked against besides the plan itself. */
export interface PlanFacts {
  readonly engines: readonly string[];
  readonly runSize?: RunSize | undefined;
  readonly schemaFault: (schema: unknown) => string | null | undefined;
}

/** The edges of a valid plan, each once, `as` filled in. */
export interface ValidPlan {
  readonly dependencies: readonly PlanDependency[];
}

/** What a plan is added to: a run's tasks and edges that stay. */
export interface GraphAround {
  /** Keys that no new task may have. */
  readonly taken: ReadonlySet<string>;
  /** Tasks that edges may name, by key. */
  readonly tasks: ReadonlyMap<string, CheckedTask>;
  /** Edges among them, by key. */
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

const nothing: GraphAround = { taken: new Set(), tasks: new Map(), edges: [] };

/** Checks a plan whole, perhaps on top of what a run has. Linear in tasks and edges. */
export function validatePlan(
  plan: Plan,
  facts: PlanFacts,
  around: GraphAround = nothing,
): ValidPlan | Refused {
  const { runSize } = facts;
  const tooLarge = sizeFault(runSize === undefined ? {} : { runSize }, {
    tasks: plan.tasks.length,
    dependencies: plan.dependencies.length,
  });
  if (tooLarge !== null) return tooLarge;
  const byKey = new Map<string, CheckedTask>(around.tasks);
  const keys = new Set(around.taken);
  const ids = new Set<string>();
  for (const task of plan.tasks) {
    if (keys.has(task.key)) {
      return refuse('duplicate_key', `Two tasks have the key ${task.key}; each needs its own.`);
    }
    if (task.id !== undefined && ids.has(task.id)) {
      return refuse('duplicate_key', `Two tasks have the id ${task.id}; each needs its own.`);
    }
    keys.add(task.key);
    byKey.set(task.key, task);
    if (task.id !== undefined) ids.add(task.id);
    const fault = checkTask(task.key, task, facts);
    if (fault !== null) return fault;
  }
  return checkEdges(plan, byKey, around);
}

type CheckedTask = Omit<PlanTask, 'key' | 'id'>;

/** Checks one task by itself; `name` is what the refusal calls it. */
export function checkTask(name: string, task: CheckedTask, facts: PlanFacts): Refused | null {
  const unbuilt = unbuiltPart(task);
  if (unbuilt !== null) return refuse('not_supported', `Task ${name}: ${unbuilt}`, { task: name });
  const wanted = [wantedEngine(task), task.needs.fallback_engine ?? null];
  for (const engine of wanted) {
    if (engine === null || engine === 'shell' || facts.engines.includes(engine)) continue;
    const nearest = nearestName(engine, facts.engines);
    const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
    return refuse(
      'unknown_engine',
      `Task ${name}: there is no engine ${engine}.${hint} Known: ${facts.engines.join(', ')}.`,
      { task: name, engine, known: facts.engines },
    );
  }
  return checkOutputs(name, task.outputs, facts);
}

function checkOutputs(
  name: string,
  outputs: readonly OutputSpec[],
  facts: PlanFacts,
): Refused | null {
  const keys = new Set<string>();
  for (const output of outputs) {
    if (keys.has(output.key)) {
      return refuse('duplicate_key', `Task ${name} declares the output ${output.key} twice.`);
    }
    keys.add(output.key);
    const fault = output.schema === undefined ? null : facts.schemaFault(output.schema);
    if (fault !== null && fault !== undefined) {
      return refuse(
        'invalid_schema',
        `The schema of output ${output.key} of task ${name} is no JSON Schema: ${fault}`,
        { task: name, output: output.key },
      );
    }
  }
  return null;
}

/** What a spec asks for that no part of the system does yet; saying so beats ignoring it. */
function unbuiltPart(task: CheckedTask): string | null {
  if (task.kind === 'plan') return 'plan tasks are not executed yet; give the plan itself.';
  const unverifiable = policyFault(task);
  if (unverifiable !== null) return unverifiable;
  if (task.kind === 'human' && task.outputs.length > 0) {
    return 'a human task has no outputs; its answer is in the upstream results of its dependents.';
  }
  if (task.kind === 'join' && task.outputs.length > 0) return 'a join task has no outputs.';
  return null;
}

function checkEdges(
  plan: Plan,
  byKey: ReadonlyMap<string, CheckedTask>,
  around: GraphAround,
): ValidPlan | Refused {
  const edges = new Map<string, PlanDependency>();
  for (const edge of plan.dependencies) {
    for (const key of [edge.upstream, edge.downstream]) {
      if (!byKey.has(key)) {
        const nearest = nearestName(key, [...byKey.keys()]);
        const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
        return refuse(
          'unknown_task',
          `The dependency ${edge.upstream} -> ${edge.downstream} names ${key}, which is no task.${hint}`,
          { key },
        );
      }
    }
    const upstream = byKey.get(edge.upstream);
    const fault = upstream === undefined ? null : checkEdge(edge, edge.upstream, upstream);
    if (fault !== null) return fault;
    const identity = [edge.upstream, edge.downstream, edge.type, edge.contract_key ?? ''].join(' ');
    if (!edges.has(identity)) edges.set(identity, edge);
  }
  const dependencies = [...edges.values()];
  const cycle = findCycle(
    [...byKey.keys()],
    [
      ...around.edges,
      ...dependencies
        .filter((edge) => edge.type !== 'related')
        .map((edge) => ({ from: edge.upstream, to: edge.downstream })),
    ],
  );
  if (cycle !== null) return refuseCycle(cycle);
  const self = dependencies.find((edge) => edge.upstream === edge.downstream);
  return self === undefined ? { dependencies } : refuseCycle([self.upstream, self.upstream]);
}

/** The refusal of a cycle, spelled out. */
export function refuseCycle(keys: readonly string[]): Refused {
  const path = keys.join(' -> ');
  return refuse(
    'cycle',
    `Tasks depend on each other in a circle: ${path}. Remove one of these edges.`,
    {
      cycle: keys,
    },
  );
}

interface CheckedEdge {
  readonly type: PlanDependency['type'];
  readonly contract_key?: string | undefined;
  readonly on: PlanDependency['on'];
}

/** Checks what an edge asks of its upstream; `name` is what the refusal calls it. */
export function checkEdge(edge: CheckedEdge, name: string, upstream: CheckedTask): Refused | null {
  if (edge.type === 'gate') return checkGate(edge, name, upstream);
  if (edge.type !== 'input') return null;
  const declared = upstream.outputs.map((it) => it.key);
  const list = declared.length === 0 ? 'it declares none' : `it declares ${declared.join(', ')}`;
  if (edge.contract_key === undefined) {
    return refuse(
      'unknown_contract',
      `An input from ${name} must say which contract_key; ${list}.`,
      {
        upstream: name,
        declared,
      },
    );
  }
  if (declared.includes(edge.contract_key)) return null;
  return refuse(
    'unknown_contract',
    `Task ${name} declares no output ${edge.contract_key}; ${list}.`,
    { upstream: name, contract_key: edge.contract_key, declared },
  );
}

function checkGate(edge: CheckedEdge, name: string, upstream: CheckedTask): Refused | null {
  if (upstream.kind === 'human' || upstream.kind === 'join') {
    return refuse(
      'not_supported',
      `A gate needs a result that is judged, and ${name} is a ${upstream.kind} task; use blocks.`,
      { upstream: name },
    );
  }
  return edge.on === 'success'
    ? null
    : refuse('not_supported', `A gate on ${name} opens on success only; leave out "on".`);
}
