import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { OutputSpec, PlanInput, RunCreateInput } from '@baton/contract';
import type { PlanFault } from './fault.ts';
import type {
  Workflow,
  WorkflowEdge,
  WorkflowFields,
  WorkflowTask,
  WorkflowWaits,
} from './workflow-schema.ts';

/** What the command line says about all tasks of a plan. */
export interface CompileOptions {
  /** Relative paths of repositories start here: the folder of the file. */
  readonly baseDir: string;
  /** For tasks that name none. */
  readonly engine?: string | undefined;
  /** For tasks that name none; a path is relative to `cwd`, so it comes resolved. */
  readonly repo?: string | undefined;
  readonly deliver?: RunCreateInput['deliver'];
  /** Tasks of a run that the plan is added to, which it may depend on: their outputs by key. */
  readonly around?: ReadonlyMap<string, readonly { readonly key: string }[]> | undefined;
}

/** A body to submit, or all that is wrong. */
export type Compiled =
  | { readonly ok: true; readonly body: RunCreateInput }
  | { readonly ok: false; readonly faults: readonly PlanFault[] };

type PlanTasks = PlanInput['tasks'];
type PlanEdges = NonNullable<PlanInput['dependencies']>;

/** The body of `POST /runs` for a file that fits the schema, or what does not fit together in it. */
export function compileWorkflow(file: Workflow, options: CompileOptions): Compiled {
  const keys = Object.keys(file.tasks);
  const declared = new Map<string, readonly { readonly key: string }[]>([
    ...(options.around ?? []),
    ...keys.map((key) => [key, outputsOf(file.tasks[key])] as const),
  ]);
  const faults: PlanFault[] = [];
  const tasks: PlanTasks = [];
  const dependencies: PlanEdges = [];
  for (const [key, task] of Object.entries(file.tasks)) {
    tasks.push(compileTask(key, task, file.defaults ?? {}, options));
    const found = edgesOf(['tasks', key], task, declared);
    dependencies.push(...found.edges);
    faults.push(...found.faults);
  }
  for (const [key, waits] of Object.entries(file.existing ?? {})) {
    const path = ['existing', key] as const;
    const message = existingFault(key, options.around);
    if (message !== null) faults.push({ path, message });
    const found = edgesOf(path, waits, declared);
    dependencies.push(...found.edges);
    faults.push(...found.faults);
  }
  if (faults.length > 0) return { ok: false, faults };
  const deliver = options.deliver ?? file.deliver;
  return {
    ok: true,
    body: {
      goal: file.goal,
      plan: { tasks, dependencies },
      ...(deliver === undefined ? {} : { deliver }),
      ...(file.policy === undefined ? {} : { policy: file.policy }),
      ...(file.labels === undefined ? {} : { labels: file.labels }),
      ...(file.budgets === undefined ? {} : { budgets: file.budgets }),
    },
  };
}

/** Only a plan that is added to a run finds tasks there. */
function existingFault(key: string, around: CompileOptions['around']): string | null {
  if (around === undefined) return 'only the plan of baton run replan has tasks that exist already';
  if (around.has(key)) return null;
  return `the run has no task ${key}; it has ${[...around.keys()].join(', ')}`;
}

function compileTask(
  key: string,
  task: WorkflowTask,
  defaults: WorkflowFields,
  options: CompileOptions,
): PlanTasks[number] {
  const { after: _a, gate: _g, related: _r, inputs: _i, outputs: _o, id, ...own } = task;
  const merged = merge(spell(defaults), spell(own));
  const isCommand = merged.kind === 'command';
  const engine = merged.needs?.engine ?? (isCommand ? undefined : options.engine);
  const needs = engine === undefined ? merged.needs : { ...merged.needs, engine };
  const repo = merged.workspace?.repo ?? options.repo;
  const workspace =
    repo === undefined
      ? merged.workspace
      : { ...merged.workspace, repo: resolveRepo(repo, options.baseDir) };
  const outputs = outputsOf(task);
  return {
    key,
    ...(id === undefined ? {} : { id }),
    ...merged,
    ...(needs === undefined ? {} : { needs }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(outputs.length === 0 ? {} : { outputs }),
  };
}

/** Short forms written out, so that a task's long form beats a short one in `defaults`. */
function spell(
  fields: WorkflowFields,
): Omit<WorkflowFields, 'engine' | 'repo' | 'ref' | 'timeout' | 'retries'> {
  const { engine, repo, ref, timeout, retries, ...long } = fields;
  return {
    ...long,
    ...(engine === undefined ? {} : { needs: { engine, ...long.needs } }),
    ...(repo === undefined && ref === undefined
      ? {}
      : {
          workspace: {
            ...(repo === undefined ? {} : { repo }),
            ...(ref === undefined ? {} : { ref }),
            ...long.workspace,
          },
        }),
    ...(timeout === undefined ? {} : { timeouts: { run: timeout, ...long.timeouts } }),
    ...(retries === undefined ? {} : { retry: { max_attempts: retries + 1, ...long.retry } }),
  };
}

/** Objects are merged field by field, everything else is the task's where it says something. */
function merge<T extends object>(defaults: T, own: T): T {
  const both = { ...defaults } as Record<string, unknown>;
  for (const [key, value] of Object.entries(own)) {
    const before = both[key];
    both[key] = isPlain(before) && isPlain(value) ? merge(before, value) : value;
  }
  return both as T;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A path is made absolute; URLs and names of repositories stay as they are. */
export function resolveRepo(repo: string, baseDir: string): string {
  if (repo === '~' || repo.startsWith('~/')) return join(homedir(), repo.slice(1));
  return repo.startsWith('.') || repo.startsWith('/') ? resolve(baseDir, repo) : repo;
}

function outputsOf(task: WorkflowTask | undefined): (Partial<OutputSpec> & { key: string })[] {
  const outputs = task?.outputs;
  if (outputs === undefined) return [];
  if (Array.isArray(outputs)) {
    return outputs.map((it) => (typeof it === 'string' ? { key: it } : it) as { key: string });
  }
  return Object.entries(outputs).map(([key, row]) => ({ key, ...row }) as { key: string });
}

function edgesOf(
  at: readonly [part: string, key: string],
  task: WorkflowWaits,
  declared: ReadonlyMap<string, readonly { readonly key: string }[]>,
): { readonly edges: PlanEdges; readonly faults: readonly PlanFault[] } {
  const [part, key] = at;
  const edges: PlanEdges = [];
  const faults: PlanFault[] = [];
  const known = (upstream: string, path: PlanFault['path']): boolean => {
    if (declared.has(upstream)) return true;
    const message = `there is no task ${upstream}; the plan has ${[...declared.keys()].join(', ')}`;
    faults.push({ path, message });
    return false;
  };
  for (const [field, type] of EDGE_FIELDS) {
    for (const { task: upstream, on } of listed(task[field])) {
      if (!known(upstream, [part, key, field])) continue;
      edges.push({ upstream, downstream: key, type, ...(on === undefined ? {} : { on }) });
    }
  }
  for (const [name, input] of Object.entries(task.inputs ?? {})) {
    const { from, on } = typeof input === 'string' ? { from: input, on: undefined } : input;
    const path = [part, key, 'inputs', name];
    const dot = from.indexOf('.');
    const upstream = from.slice(0, dot);
    const contract = from.slice(dot + 1);
    if (!known(upstream, path)) continue;
    const outputs = declared.get(upstream) ?? [];
    if (!outputs.some((output) => output.key === contract)) {
      const has = outputs.map((output) => output.key).join(', ');
      faults.push({
        path,
        message: `task ${upstream} has no output ${contract}; ${has === '' ? 'it declares none' : `it declares ${has}`}`,
      });
      continue;
    }
    edges.push({
      upstream,
      downstream: key,
      type: 'input',
      contract_key: contract,
      as: name,
      ...(on === undefined ? {} : { on }),
    });
  }
  return { edges, faults };
}

const EDGE_FIELDS = [
  ['after', 'blocks'],
  ['gate', 'gate'],
  ['related', 'related'],
] as const;

function listed(edges: WorkflowWaits['after']): readonly Exclude<WorkflowEdge, string>[] {
  if (edges === undefined) return [];
  const all = Array.isArray(edges) ? edges : [edges];
  return all.map((edge) => (typeof edge === 'string' ? { task: edge } : edge));
}
