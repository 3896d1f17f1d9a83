import { z } from 'zod';
import { anyId, instant } from './ids.ts';
import { jsonObject } from './json.ts';
import { LIMITS } from './limits.ts';

/** What an attempt may have on its ledger. */
export const ACTION_KINDS = [
  'tool_call',
  'env_acquire',
  'env_hold',
  'env_snapshot',
  'env_release',
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

/** What an action may have changed, the least harmful first. */
export const EFFECT_CLASSES = [
  'local_read',
  'local_write',
  'external_read',
  'external_write',
  'external_irreversible',
] as const;
export type EffectClass = (typeof EFFECT_CLASSES)[number];

/** How far an action is. One that has ended stays as it ended. */
export const ACTION_STATUSES = ['started', 'succeeded', 'failed'] as const;
export type ActionStatus = (typeof ACTION_STATUSES)[number];

const actionFields = {
  call: z
    .string()
    .min(1)
    .max(200)
    .describe("the call's own id; a second report of it is the same action"),
  kind: z.enum(ACTION_KINDS).default('tool_call'),
  name: z.string().min(1).max(200).describe('of the tool or environment'),
  target: z.string().max(300).default('').describe('what it acted on, in one line'),
  effect: z.enum(EFFECT_CLASSES),
  status: z.enum(ACTION_STATUSES).default('succeeded'),
  input_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  refs: jsonObject.optional().describe('leases, snapshots and the like that it concerns'),
};

/** Body of `POST /attempts/{id}/actions`. */
export const attemptActions = z.strictObject({
  epoch: z.int().nonnegative(),
  actions: z.array(z.strictObject(actionFields)).min(1).max(LIMITS.actionsPerWriteMax),
});
export type AttemptActions = z.infer<typeof attemptActions>;

/** One line of the ledger of what agents did. */
export const action = z.object({
  task: anyId,
  attempt: anyId,
  ...actionFields,
  input_sha256: z.string().nullable(),
  refs: jsonObject,
  started_at: instant,
  ended_at: instant.nullable(),
});
export type Action = z.infer<typeof action>;
