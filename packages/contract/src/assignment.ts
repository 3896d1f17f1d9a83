import { z } from 'zod';
import { anyId, taskKey } from './ids.ts';
import { json, jsonObject } from './json.ts';
import { commitRef } from './result.ts';
import { DELIVERIES, FAILURE_CLASSES } from './statuses.ts';
import { taskPlan } from './task-plan.ts';
import { taskSpec } from './task-spec.ts';

/** What an upstream task left behind, for the prompt and for the workspace's base. */
export const upstreamResult = z.object({
  task: anyId,
  key: taskKey,
  status: z.string(),
  summary: z.string(),
  edge: z.string().describe('type of the dependency'),
  commit: commitRef.nullable(),
  bundle: anyId.nullable().describe('artifact with the commit, when another worker made it'),
  log_tail: z.array(z.string()).default([]),
});
export type UpstreamResult = z.infer<typeof upstreamResult>;

/** Everything a worker needs to execute one attempt; also what the agent may read of it. */
export const assignment = z.object({
  attempt: z.object({
    id: anyId,
    epoch: z.int(),
    number: z.int(),
    generation: z.int(),
  }),
  token: z.string().describe('attempt token: valid for this epoch only'),
  project: anyId,
  run: z.object({ id: anyId, goal: z.string(), input: jsonObject, labels: jsonObject }),
  task: z.object({
    id: anyId,
    key: taskKey,
    title: z.string(),
    spec: taskSpec,
    engine: z.string().describe('the engine that was chosen'),
  }),
  inputs: z.record(z.string(), json),
  upstream: z.array(upstreamResult),
  bases: z.record(z.string(), z.string()).describe('`repo@ref` -> commit the run started from'),
  notes: z.array(z.object({ author: z.string(), text: z.string(), urgent: z.boolean() })),
  last_failure: z
    .object({
      failure_class: z.enum(FAILURE_CLASSES),
      reason: z.string(),
      attempt: anyId,
    })
    .nullable(),
  feedback: z.string().nullable(),
  conversation: z.string().nullable().describe("the agent's own id, when it is to be resumed"),
  answer: jsonObject.nullable().describe('decision of the checkpoint a parked attempt waited on'),
  continue: z
    .object({
      attempt: anyId.describe('the attempt that this one goes on from'),
      worker: anyId.describe('where its workspace is'),
      conversation: z.string().nullable().describe("its agent's own id"),
      wake: json.describe('what the agent is told'),
    })
    .nullable()
    .default(null)
    .describe('an earlier attempt whose workspace and conversation this one goes on with'),
  saved: z
    .object({
      attempt: anyId.describe('the attempt that left it'),
      artifact: anyId,
      meta: jsonObject.describe('what its worker said of it'),
    })
    .nullable()
    .default(null)
    .describe('work of the attempt that is gone on with, for where its workspace is not'),
  plan: taskPlan.nullable().default(null).describe('the plan that was handed in last'),
  decisions: z
    .array(z.object({ question: z.string(), answer: z.string(), by: z.string() }))
    .default([])
    .describe('what was decided for the task before, oldest first'),
  started: z.boolean().describe('false: nothing ran yet; true: redelivered after a start'),
  lease_seconds: z.number(),
  heartbeat_seconds: z.number(),
});
export type Assignment = z.infer<typeof assignment>;

/** Order to deliver a run's commit; sent to the worker that holds it, again until it reports. */
export const deliveryOrder = z.object({
  run: anyId,
  task: anyId,
  mode: z.enum(DELIVERIES),
  commit: commitRef,
  ref: z.string().nullable().describe('branch to fast-forward for mode merge'),
  branch: z.string().describe('branch to push'),
});
export type DeliveryOrder = z.infer<typeof deliveryOrder>;
