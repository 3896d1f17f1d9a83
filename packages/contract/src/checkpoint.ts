import { z } from 'zod';
import { anyId, instant } from './ids.ts';
import { LIMITS } from './limits.ts';
import { json } from './json.ts';
import { CHECKPOINT_KINDS, CHECKPOINT_STATUSES } from './statuses.ts';

/** What was decided. Exactly one of `option`, `text`, or `use_default`. */
export const resolution = z.object({
  option: z.string().optional(),
  text: z.string().optional(),
  use_default: z.boolean().optional(),
  reason: z.string().nullable(),
  by: z.string(),
  via: z.string().describe('api, dashboard, cli, timeout ...'),
  at: instant,
});
export type Resolution = z.infer<typeof resolution>;

/** A stop for a person. */
export const checkpoint = z.object({
  id: anyId,
  project: anyId,
  run: anyId,
  task: anyId.nullable(),
  task_key: z.string().nullable(),
  attempt: anyId.nullable(),
  kind: z.enum(CHECKPOINT_KINDS),
  question: z.string(),
  context: json,
  options: z.array(z.string()),
  freeform: z.boolean(),
  default_option: z.string().nullable(),
  timeout_at: instant.nullable(),
  on_timeout: z.enum(['use_default', 'fail', 'keep_waiting']),
  answer_by: z.enum(['human', 'any']),
  resume: z.enum(['live', 'held', 'new_attempt']),
  facts_sha256: z.string().nullable(),
  status: z.enum(CHECKPOINT_STATUSES),
  resolution: resolution.nullable(),
  opened_by: z.string(),
  opened_at: instant,
  closed_at: instant.nullable(),
});
export type Checkpoint = z.infer<typeof checkpoint>;

/** Body that opens a checkpoint. `client_id` makes resending harmless. */
export const checkpointOpen = z.strictObject({
  client_id: z.string().max(128).optional(),
  kind: z.enum(CHECKPOINT_KINDS).default('question'),
  question: z.string().min(1).max(LIMITS.questionCharsMax),
  context: json.default(null),
  options: z.array(z.string().min(1).max(500)).max(LIMITS.optionsMax).default([]),
  freeform: z.boolean().optional().describe('default: true without options'),
  default: z.string().optional(),
  timeout_seconds: z.number().positive().max(31_536_000).optional(),
  on_timeout: z.enum(['use_default', 'fail', 'keep_waiting']).optional(),
  answer_by: z.enum(['human', 'any']).default('human'),
  resume: z.enum(['live', 'held', 'new_attempt']).default('live'),
});
export type CheckpointOpen = z.infer<typeof checkpointOpen>;
export type CheckpointOpenInput = z.input<typeof checkpointOpen>;

/** Body of `POST /tasks/{id}/checkpoints`: a question that somebody else than the agent puts to a task. */
export const taskCheckpointOpen = checkpointOpen.omit({ client_id: true, kind: true }).extend({
  kind: z.enum(['question', 'review']).default('question'),
  resume: z
    .enum(['live', 'held', 'new_attempt'])
    .default('live')
    .describe('of a running agent: go on as it is, or end its process until the answer'),
});
export type TaskCheckpointOpen = z.infer<typeof taskCheckpointOpen>;

/** Body of `POST /runs/{id}/checkpoints`: a barrier. Nothing more of the run starts until it is decided. */
export const runCheckpointOpen = taskCheckpointOpen.omit({ resume: true });
export type RunCheckpointOpen = z.infer<typeof runCheckpointOpen>;

/** Body of the one decision: exactly one of option, text, use_default. */
export const checkpointResolve = z
  .strictObject({
    option: z.string().max(500).optional(),
    text: z.string().max(LIMITS.questionCharsMax).optional(),
    use_default: z.literal(true).optional(),
    reason: z.string().max(LIMITS.reasonCharsMax).optional(),
    via: z.string().max(40).optional(),
    facts_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('what the decision is about, as it was shown; refused when that has changed'),
  })
  .refine(
    (body) =>
      [body.option, body.text, body.use_default].filter((part) => part !== undefined).length === 1,
    'give exactly one of option, text, use_default',
  );
export type CheckpointResolve = z.infer<typeof checkpointResolve>;
