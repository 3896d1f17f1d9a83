import { z } from 'zod';
import { anyId, instant, taskKey } from './ids.ts';
import { jsonObject } from './json.ts';
import { LIMITS } from './limits.ts';
import { budgetSpec } from './scheduling.ts';
import { DELIVERIES, RUN_STATUSES, TASK_STATUSES } from './statuses.ts';
import { labels, permissionMode, plan } from './task-spec.ts';

const asked = z.int().positive().max(1_000_000).optional();
const modelLimitsAsked = z.strictObject({
  children_per_plan: asked,
  edges_per_plan: asked,
  tasks_per_run: asked,
  replans: asked,
  depth: asked,
  goal_chars: asked,
});

/** What a run does on a failure, and what it asks a person before it acts. */
export const runPolicy = z.strictObject({
  on_task_failure: z.enum(['continue', 'fail_run', 'replan']).default('continue'),
  require_dispatch_approval: z
    .union([
      z.enum(['never', 'always']),
      z.strictObject({
        roles: z.array(z.string()).optional(),
        engines: z.array(z.string()).optional(),
        labels: labels.optional(),
      }),
    ])
    .default('never'),
  require_plan_approval: z.boolean().default(false),
  permissions: permissionMode.optional(),
  limits: modelLimitsAsked
    .optional()
    .describe(
      'more of what models may add; a number over its absolute is lowered to that, and said',
    ),
});
export type RunPolicy = z.infer<typeof runPolicy>;

/** Where a run came from. */
export const RUN_SOURCES = [
  'api',
  'job',
  'schedule',
  'trigger',
  'rerun',
  'delegation',
  'relay',
] as const;

/** Body of `POST /runs`. Without a plan the goal becomes one agent task (`none`). */
export const runCreate = z.strictObject({
  goal: z.string().max(LIMITS.goalCharsMax).default(''),
  plan: z.union([plan, z.enum(['none', 'auto'])]).optional(),
  task: z
    .looseObject({})
    .optional()
    .describe('fields of the one task when there is no plan: engine, repo, outputs ...'),
  input: jsonObject.default({}),
  labels: labels.default({}),
  policy: runPolicy.prefault({}),
  deliver: z.enum(DELIVERIES).default('branch'),
  budgets: budgetSpec.optional(),
});
export type RunCreate = z.infer<typeof runCreate>;
export type RunCreateInput = z.input<typeof runCreate>;

/** Body of `PATCH /runs/{id}`: what is left out stays. Tasks that run already are not touched by it. */
export const runUpdate = z.strictObject({
  goal: z.string().max(LIMITS.goalCharsMax).optional(),
  labels: labels.optional(),
  policy: z
    .strictObject({
      on_task_failure: runPolicy.shape.on_task_failure.unwrap().optional(),
      require_dispatch_approval: runPolicy.shape.require_dispatch_approval.unwrap().optional(),
      require_plan_approval: z.boolean().optional(),
      permissions: permissionMode.optional(),
      limits: runPolicy.shape.limits,
    })
    .optional(),
  budgets: runCreate.shape.budgets,
});
export type RunUpdate = z.infer<typeof runUpdate>;

/** Body of `POST /runs/{id}/replan`: what is added to a run, and what that replaces. */
export const runReplan = z.strictObject({
  plan,
  plan_version: z.int().nonnegative().describe('the version that this plan answers'),
  supersede: z
    .array(taskKey)
    .max(LIMITS.tasksPerRunSettingMax)
    .optional()
    .describe('keys of tasks that it replaces; default: what failed, and what cannot start for it'),
});
export type RunReplan = z.infer<typeof runReplan>;
export type RunReplanInput = z.input<typeof runReplan>;

/** How many tasks of a run are in each status; statuses with none are left out. */
export const taskCounts = z.partialRecord(z.enum(TASK_STATUSES), z.int().nonnegative());

/** Where the work of a run went, once delivered. */
export const deliveryState = z.object({
  state: z.enum(['none', 'pending', 'delivered', 'refused']),
  repo: z.string().optional(),
  commit: z.string().optional(),
  branch: z.string().optional(),
  detail: z.string().optional(),
});
export type DeliveryState = z.infer<typeof deliveryState>;

/** Answer of `GET /runs/{id}/explain`. */
export const runExplanation = z.object({
  run: anyId,
  status: z.enum(RUN_STATUSES),
  sentence: z.string().describe('why the run is in this status, in one sentence'),
  next: z.string().nullable().describe('what would change it'),
  waits_for: z.array(
    z.object({
      kind: z.enum([
        'work',
        'delivery',
        'barrier',
        'checkpoint',
        'review',
        'plan',
        'assignment',
        'worker',
        'paused',
      ]),
      task: anyId.nullable().describe('the task that it is about'),
      key: taskKey.nullable(),
      what: z.string(),
    }),
  ),
});
export type RunExplanation = z.infer<typeof runExplanation>;

/** A run as clients see it. */
export const run = z.object({
  id: anyId,
  project: anyId,
  goal: z.string(),
  status: z.enum(RUN_STATUSES),
  reason: z.string().nullable(),
  planning: z.enum(['idle', 'active']),
  source: z.enum(RUN_SOURCES),
  input: jsonObject,
  labels: z.record(z.string(), z.string()),
  policy: runPolicy,
  deliver: z.enum(DELIVERIES),
  delivery: deliveryState,
  plan_version: z.int(),
  seq: z.int().describe('run_seq of its newest event'),
  task_count: z.int(),
  tasks_by_status: taskCounts,
  needs_human: z.int().describe('open checkpoints'),
  usd: z.string().describe('spent so far, decimal'),
  lineage_root: anyId,
  rerun_of: anyId.nullable(),
  created_by: z.string(),
  created_at: instant,
  started_at: instant.nullable(),
  ended_at: instant.nullable(),
  updated_at: instant,
});
export type Run = z.infer<typeof run>;
