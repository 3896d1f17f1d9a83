import { z } from 'zod';
import { clientTaskId, contractKey, taskKey, anyId } from './ids.ts';
import { json, jsonObject } from './json.ts';
import { DEFAULTS, LIMITS } from './limits.ts';
import { budgetSpec, concurrencyKey } from './scheduling.ts';
import {
  CONTRACT_TYPES,
  DEPENDENCY_RULES,
  DEPENDENCY_TYPES,
  PRIORITIES,
  ROLES,
  TASK_KINDS,
  TASK_TYPES,
  WORKSPACE_MODES,
} from './statuses.ts';
import { verificationPolicy } from './verification.ts';

/** String to string labels; at most 64. */
export const labels = z
  .record(z.string().min(1).max(128), z.string().max(256))
  .refine(
    (all) => Object.keys(all).length <= LIMITS.labelsMax,
    `at most ${LIMITS.labelsMax} labels`,
  );

/** One condition on a worker's labels; all of a selector's conditions must hold. */
export const selectorTerm = z
  .strictObject({
    key: z.string().min(1),
    op: z.enum(['=', '!=', 'in', 'exists']),
    values: z.array(z.string()).default([]),
  })
  .refine(
    ({ op, values }) => {
      if (op === 'exists') return values.length === 0;
      return op === 'in' ? values.length > 0 : values.length === 1;
    },
    { message: '= and != take one value, in takes some, exists takes none', path: ['values'] },
  );
export type SelectorTerm = z.infer<typeof selectorTerm>;

/** A declared contract: what a task promises to hand on. `schema` is JSON Schema 2020-12. */
export const outputSpec = z.strictObject({
  key: contractKey,
  type: z.enum(CONTRACT_TYPES).default('json'),
  schema: z.union([jsonObject, z.boolean()]).optional(),
  required: z.boolean().default(true),
  description: z.string().max(2_000).optional(),
});
export type OutputSpec = z.infer<typeof outputSpec>;

const environmentNeed = z.strictObject({
  required: z.boolean(),
  class: z.string().optional(),
  kind: z.enum(['container', 'browser', 'process']).optional(),
  mode: z.enum(['context', 'exclusive']).optional(),
  effect_class: z.string().optional(),
  metadata: jsonObject.optional(),
});

/** What a worker must have before it may take the task. */
export const needs = z.strictObject({
  engine: z.string().max(64).optional(),
  fallback_engine: z
    .string()
    .max(64)
    .optional()
    .describe('engine to go on with while a provider refuses the wanted one'),
  provider: z.string().optional(),
  model: z.string().optional(),
  max_turns: z.int().positive().optional(),
  extra_args: z.array(z.string()).optional(),
  worker: z.string().optional().describe('name of the only worker that may take it'),
  selector: z.array(selectorTerm).optional(),
  repo: z.string().optional().describe('name or URL that the worker must advertise'),
  languages: z.array(z.string()).optional(),
  tools: z.array(z.string()).optional(),
  environment: environmentNeed.optional(),
});
export type Needs = z.infer<typeof needs>;

/** Where an attempt works. */
export const workspace = z.strictObject({
  repo: z.string().optional().describe('URL, local path or name of a repository'),
  ref: z.string().optional().describe("branch, tag or commit; default: the repository's HEAD"),
  base: z.enum(['upstream', 'ref']).default('upstream'),
  mode: z.enum(WORKSPACE_MODES).optional(),
  setup: z.string().optional().describe('script run by `sh -c` before the agent starts'),
  copy: z.array(z.string()).optional().describe('untracked files to copy, such as .env'),
  on_retry: z.enum(['continue', 'fresh']).default('fresh'),
  allowed_paths: z.array(z.string()).optional(),
});
export type Workspace = z.infer<typeof workspace>;

/** `baton/task-spec/v1`: the structured half of a spec. */
export const structuredSpec = z.strictObject({
  schema: z.literal('baton/task-spec/v1').optional(),
  requirements: z
    .array(
      z.strictObject({
        description: z.string(),
        priority: z.enum(['must', 'should', 'could']).default('must'),
        category: z.string().optional(),
      }),
    )
    .optional(),
  references: z.array(json).optional(),
  constraints: z
    .strictObject({
      languages: z.array(z.string()).optional(),
      frameworks: z.array(z.string()).optional(),
      testing: z.string().optional(),
      allowed_paths: z.array(z.string()).optional(),
      max_files_changed: z.int().positive().optional(),
      no_breaking_changes: z.boolean().optional(),
      custom: z.array(z.string()).optional(),
    })
    .optional(),
});

/** When and how often a failed attempt is tried again. */
export const retryPolicy = z.strictObject({
  max_attempts: z.int().min(1).max(100).default(DEFAULTS.maxAttempts),
  backoff_seconds: z.number().nonnegative().max(31_536_000).default(DEFAULTS.backoffSeconds),
  factor: z.number().min(1).max(100).default(DEFAULTS.backoffFactor),
  max_backoff_seconds: z.number().nonnegative().max(31_536_000).default(DEFAULTS.maxBackoffSeconds),
  on: z
    .array(z.string())
    .optional()
    .describe('failure classes to retry; default: all that may help'),
});
export type RetryPolicy = z.infer<typeof retryPolicy>;

const seconds = z.number().positive().max(31_536_000);
/** Seconds; enforced by the control plane. */
export const timeouts = z.strictObject({
  queue: seconds.optional(),
  start: seconds.optional(),
  run: seconds.optional(),
  idle: seconds.optional(),
  approval: seconds.optional(),
});

/** How far an agent may go without asking. */
export const permissionMode = z.enum(['auto', 'ask', 'deny']);
export type PermissionMode = z.infer<typeof permissionMode>;

/** Everything a person or planner may say about a task, but its place in the graph. */
export const taskSpec = z.strictObject({
  title: z.string().max(500).optional(),
  kind: z.enum(TASK_KINDS).default('agent'),
  role: z
    .preprocess((role) => (role === 'worker' ? 'implementer' : role), z.enum(ROLES))
    .optional(),
  spec: z.string().max(LIMITS.specCharsMax).default(''),
  structured_spec: structuredSpec.optional(),
  acceptance_criteria: z.array(z.string()).optional(),
  type: z.enum(TASK_TYPES).optional(),
  priority: z.enum(PRIORITIES).default('normal'),
  dispatch: z.enum(['auto', 'manual']).default('auto'),
  approval: z
    .strictObject({ dispatch: z.boolean().default(false), plan: z.boolean().default(false) })
    .optional(),
  needs: needs.default({}),
  workspace: workspace.optional(),
  env: z.record(z.string(), z.string()).optional(),
  credentials: z
    .array(
      z.strictObject({
        name: z.string(),
        env_var: z.string().optional(),
        file: z.string().optional(),
      }),
    )
    .optional(),
  mcp_servers: jsonObject.optional(),
  skills: z.array(z.string()).nullable().default(null),
  persona: z.string().optional(),
  labels: labels.default({}),
  outputs: z.array(outputSpec).default([]),
  dependency_log_lines: z.int().min(0).max(1_000).default(0),
  verification: verificationPolicy.optional(),
  retry: retryPolicy.prefault({}),
  timeouts: timeouts.default({}),
  lease_seconds: z
    .int()
    .min(DEFAULTS.leaseSecondsMin)
    .max(DEFAULTS.leaseSecondsMax)
    .default(DEFAULTS.leaseSeconds),
  on_partition: z.enum(['continue', 'stop']).optional(),
  session: z.enum(['headless', 'terminal']).default('headless'),
  permissions: permissionMode.optional(),
  parent_task: anyId.optional(),
  concurrency: z
    .array(concurrencyKey)
    .max(LIMITS.concurrencyKeysMax)
    .optional()
    .describe('keys under which it counts against limits, beside engine:<name> and repo:<name>'),
  budgets: budgetSpec.optional(),
});
export type TaskSpec = z.infer<typeof taskSpec>;
export type TaskSpecInput = z.input<typeof taskSpec>;

/** A task of a plan: a spec with a key, and perhaps an id the client chose. */
export const planTask = taskSpec.extend({ key: taskKey, id: clientTaskId.optional() });
export type PlanTask = z.infer<typeof planTask>;

/** An edge of a plan. `upstream` and `downstream` are keys. */
export const planDependency = z.strictObject({
  upstream: taskKey,
  downstream: taskKey,
  type: z.enum(DEPENDENCY_TYPES).default('blocks'),
  contract_key: contractKey.optional(),
  as: contractKey.optional().describe('name of the input; default: contract_key'),
  on: z.enum(DEPENDENCY_RULES).default('success'),
});
export type PlanDependency = z.infer<typeof planDependency>;

/** A graph of work, submitted whole or not at all. */
export const plan = z.strictObject({
  // How many there may be is the operator's to say: the kernel refuses more, and names the setting.
  tasks: z.array(planTask).min(1),
  dependencies: z.array(planDependency).default([]),
});
export type Plan = z.infer<typeof plan>;
export type PlanInput = z.input<typeof plan>;
