import { z } from 'zod';
import { anyId, contractKey, instant, clientTaskId, taskKey } from './ids.ts';
import { json, jsonObject } from './json.ts';
import { LIMITS } from './limits.ts';
import { taskResult } from './result.ts';
import { taskPlan } from './task-plan.ts';
import {
  CHECKPOINT_KINDS,
  CONTRACT_TYPES,
  DEPENDENCY_RULES,
  DEPENDENCY_TYPES,
  FAILURE_CLASSES,
  TASK_STATUSES,
} from './statuses.ts';
import { taskSpec } from './task-spec.ts';
import { verificationState, verifies } from './verification.ts';

/** How far a task is, in the agent's own words. */
export const progress = z.object({
  percent: z.number().min(0).max(100).nullable(),
  text: z.string(),
  at: instant,
});
export type Progress = z.infer<typeof progress>;

/** A fulfilled contract. */
export const taskOutput = z.object({
  key: contractKey,
  type: z.enum(CONTRACT_TYPES),
  data: json,
  sha256: z.string(),
  attempt: anyId,
  generation: z.int(),
  fulfilled_at: instant,
});
export type TaskOutput = z.infer<typeof taskOutput>;

/** An edge, as seen from one of its ends. */
export const dependency = z.object({
  id: anyId,
  run: anyId,
  upstream: anyId,
  upstream_key: taskKey,
  downstream: anyId,
  downstream_key: taskKey,
  type: z.enum(DEPENDENCY_TYPES),
  contract_key: contractKey.nullable(),
  as: contractKey.nullable(),
  on: z.enum(DEPENDENCY_RULES),
  satisfied: z.boolean(),
  plan_version: z.int(),
});
export type Dependency = z.infer<typeof dependency>;

/** What a reviewer does with finished work; `request_changes` has it done again with the note. */
export const REVIEW_ACTIONS = ['approve', 'request_changes', 'reject', 'reset'] as const;
export type ReviewAction = (typeof REVIEW_ACTIONS)[number];

export const REVIEW_STATES = ['none', 'approved', 'changes_requested', 'rejected'] as const;

/** What a finished task's reviewer said. */
export const review = z.object({
  state: z.enum(REVIEW_STATES),
  by: z.string().nullable(),
  at: instant.nullable(),
  note: z.string().nullable(),
});

/** A task as clients see it. `spec` holds what was asked for; the rest is its state. */
export const task = z.object({
  id: anyId,
  project: anyId,
  run: anyId,
  key: taskKey,
  title: z.string(),
  spec: taskSpec,
  status: z.enum(TASK_STATUSES),
  reason: z.string().nullable().describe('why it is in this status, when there is more to say'),
  generation: z.int(),
  epoch: z.int(),
  plan_version: z.int(),
  attempt_count: z.int(),
  attempt: anyId.nullable().describe('the open or newest attempt'),
  worker: anyId.nullable().describe('worker of the open or newest attempt'),
  worker_name: z.string().nullable(),
  assigned_worker: z.string().nullable().describe('worker name a person assigned it to'),
  needs_human: z.boolean(),
  progress: progress.nullable(),
  result: taskResult.nullable(),
  outdated: z.boolean().describe('an upstream was redone after this finished'),
  verification: verificationState.nullable().describe('the check of its newest result'),
  verifies: verifies.nullable().describe('what it checks, when the control plane made it for that'),
  failure_class: z.enum(FAILURE_CLASSES).nullable(),
  review,
  parent_task: anyId.nullable(),
  lineage_root: anyId.describe('the first run of all that came of it'),
  depth: z.int().describe('how far below a task without a parent it is'),
  rerun_of: anyId.nullable(),
  origin: z.string().nullable(),
  retry_at: instant.nullable(),
  usd: z.string(),
  created_at: instant,
  ready_at: instant.nullable(),
  started_at: instant.nullable(),
  ended_at: instant.nullable(),
  updated_at: instant,
});
export type Task = z.infer<typeof task>;

/** A task with what stands around it; the answer of `GET /tasks/{id}`. */
export const taskDetail = task.extend({
  inputs: z.record(z.string(), json).describe('resolved inputs by name'),
  outputs: z.array(taskOutput),
  plan: taskPlan.nullable().describe('the plan its agent handed in last, and the word on it'),
  dependencies: z.array(dependency).describe('edges into it'),
  dependents: z.array(dependency).describe('edges out of it'),
  open_checkpoints: z.array(
    z.object({ id: anyId, kind: z.enum(CHECKPOINT_KINDS), question: z.string() }),
  ),
});
export type TaskDetail = z.infer<typeof taskDetail>;

/** Body of `POST /tasks`: one task's fields, perhaps its run, and what it depends on. */
export const taskCreate = taskSpec.extend({
  id: clientTaskId.optional(),
  key: taskKey.optional(),
  run: anyId.optional(),
  force: z
    .boolean()
    .optional()
    .describe('hand work on again although it failed, or succeeded, just now; this is logged'),
  goal: z.string().max(LIMITS.goalCharsMax).optional(),
  depends_on: z
    .array(
      z.union([
        anyId,
        z.strictObject({
          task: anyId,
          type: z.enum(DEPENDENCY_TYPES).default('blocks'),
          contract_key: contractKey.optional(),
          as: contractKey.optional(),
          on: z.enum(DEPENDENCY_RULES).default('success'),
        }),
      ]),
    )
    .max(1_000)
    .default([]),
});
export type TaskCreate = z.infer<typeof taskCreate>;
export type TaskCreateInput = z.input<typeof taskCreate>;

/** Body of `PATCH /tasks/{id}`: what is left out stays. A live agent is told. */
export const taskUpdate = z.strictObject({
  title: z.string().min(1).max(500).optional(),
  spec: taskSpec.shape.spec.unwrap().optional(),
  acceptance_criteria: z.array(z.string()).optional(),
  priority: taskSpec.shape.priority.unwrap().optional(),
  labels: taskSpec.shape.labels.unwrap().optional(),
  timeouts: taskSpec.shape.timeouts.unwrap().optional().describe('replaces all of them'),
  budgets: taskSpec.shape.budgets.optional(),
});
export type TaskUpdate = z.infer<typeof taskUpdate>;

/** Body of `POST /tasks/{id}/dependencies`: an edge from `upstream` into this task. */
export const dependencyCreate = z.strictObject({
  upstream: anyId,
  type: z.enum(DEPENDENCY_TYPES).default('blocks'),
  contract_key: contractKey.optional(),
  as: contractKey.optional(),
  on: z.enum(DEPENDENCY_RULES).default('success'),
});
export type DependencyCreate = z.infer<typeof dependencyCreate>;

/** A remark on a task. Urgent ones are pushed to a live agent. */
export const note = z.object({
  id: anyId,
  task: anyId,
  author: z.string(),
  text: z.string(),
  urgent: z.boolean(),
  created_at: instant,
});
export type Note = z.infer<typeof note>;

/** Why one worker may or may not take a task. */
export const candidate = z.object({
  worker: anyId,
  name: z.string(),
  eligible: z.boolean(),
  score: z.int().nullable(),
  parts: z.record(z.string(), z.number()).describe('the score, part by part'),
  disqualified: z.array(z.string()).describe('each reason it may not take the task'),
});
export type Candidate = z.infer<typeof candidate>;

/** Something that keeps a task from starting, besides workers; all of it must go. */
export const explanationHold = z.object({
  kind: z.enum([
    'dependency',
    'approval',
    'question',
    'assignment',
    'paused',
    'barrier',
    'stopping',
    'backoff',
    'limit',
    'rate',
    'parked',
    'budget',
  ]),
  what: z.string().describe('in words, such as "the limit of deploy is reached"'),
  until: instant.nullable().describe('when it goes by itself'),
  by: z.array(z.string()).describe('keys of the tasks that hold it'),
});
export type ExplanationHold = z.infer<typeof explanationHold>;

/** Answer of `GET /tasks/{id}/explain`. */
export const explanation = z.object({
  task: anyId,
  status: z.enum(TASK_STATUSES),
  sentence: z.string().describe('why the task is in this status, in one sentence'),
  next: z.string().nullable().describe('what would change it'),
  waits_for: z.array(
    z.object({ task: anyId, key: taskKey, status: z.enum(TASK_STATUSES), type: z.string() }),
  ),
  holds: z.array(explanationHold),
  engine: z.string().nullable(),
  candidates: z.array(candidate),
  winner: z
    .string()
    .nullable()
    .describe('name of the worker that takes it when work is handed out now'),
  facts: jsonObject,
});
export type Explanation = z.infer<typeof explanation>;
