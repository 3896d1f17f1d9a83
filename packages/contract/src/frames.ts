import { z } from 'zod';
import { attemptActions } from './action.ts';
import { assignment, deliveryOrder } from './assignment.ts';
import {
  attemptCheckpoint,
  attemptComplete,
  attemptFail,
  attemptNote,
  attemptOutput,
  attemptPlan,
  attemptProgress,
  attemptRelease,
  attemptStart,
  workerHeartbeat,
} from './attempt-writes.ts';
import { attemptAwait, attemptSpawn } from './await.ts';
import { checkpoint } from './checkpoint.ts';
import { anyId } from './ids.ts';
import { json } from './json.ts';
import { deliveryState } from './run.ts';
import { capabilities } from './worker.ts';

/** Subprotocol of the worker link. JSON frames here; log bytes travel as binary frames (binary-frame.ts). */
export const LINK_PROTOCOL = 'baton.worker.v1';

/**
 * Frames that matter carry `seq`, counted from 1 by each start of the worker's daemon; what must outlive
 * that start lies in the attempt's directory and is said again with a number of its own.
 * The control plane answers each with `ack` of that seq; the worker sends again, after a reconnect,
 * what was not acknowledged. Sending twice is harmless by nature of each frame.
 */
const counted = { seq: z.int().positive() };
const about = { ...counted, attempt: anyId };

/** Worker to control plane. */
export const workerFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    incarnation: z.string().describe('random for each start of the daemon; newer closes older'),
    version: z.string(),
    slots: z.int().min(0).max(10_000),
    labels: z.record(z.string(), z.string()),
    capabilities,
    draining: z.boolean(),
    attempts: z.array(
      z.object({ id: anyId, epoch: z.int(), ended: z.boolean().describe('its report is spooled') }),
    ),
  }),
  z.strictObject({
    type: z.literal('slots'),
    free: z.int().min(0),
    leaving: z.boolean().optional().describe('it is about to end: no new work comes back to it'),
  }),
  z.strictObject({ type: z.literal('heartbeat'), ...workerHeartbeat.shape }),
  z.strictObject({ type: z.literal('started'), ...about, body: attemptStart }),
  z.strictObject({ type: z.literal('progress'), ...about, body: attemptProgress }),
  z.strictObject({ type: z.literal('output'), ...about, body: attemptOutput }),
  z.strictObject({ type: z.literal('checkpoint_open'), ...about, body: attemptCheckpoint }),
  z.strictObject({ type: z.literal('plan'), ...about, body: attemptPlan }),
  z.strictObject({ type: z.literal('note'), ...about, body: attemptNote }),
  z.strictObject({ type: z.literal('spawn'), ...about, body: attemptSpawn }),
  z.strictObject({ type: z.literal('children'), ...about }),
  z.strictObject({ type: z.literal('await'), ...about, body: attemptAwait }),
  z.strictObject({ type: z.literal('actions'), ...about, body: attemptActions }),
  z.strictObject({ type: z.literal('complete'), ...about, body: attemptComplete }),
  z.strictObject({ type: z.literal('fail'), ...about, body: attemptFail }),
  z.strictObject({ type: z.literal('release'), ...about, body: attemptRelease }),
  z.strictObject({
    type: z.literal('delivered'),
    ...counted,
    run: anyId,
    delivery: deliveryState,
  }),
  z.strictObject({ type: z.literal('drain'), draining: z.boolean() }),
]);
export type WorkerFrame = z.infer<typeof workerFrame>;

/** A failure as it is sent on the link; the same fields as a problem document. */
export const frameError = z.object({
  code: z.string(),
  detail: z.string(),
  retry: z.boolean(),
  facts: z.record(z.string(), json).default({}),
});

/** Control plane to worker. */
export const serverFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    worker: anyId,
    heartbeat_seconds: z.number(),
    stop: z.array(anyId).describe('attempts the worker named that it no longer holds'),
    draining: z.boolean(),
  }),
  z.object({
    type: z.literal('ack'),
    seq: z.int(),
    error: frameError.nullable(),
    body: json.describe('answer of the command, such as the opened checkpoint'),
  }),
  z.object({
    type: z.literal('log_ack'),
    attempt: anyId,
    stream: z.string(),
    next_offset: z.int().describe('everything before it is stored'),
    error: frameError.nullable(),
  }),
  z.object({ type: z.literal('assign'), assignment }),
  z.object({
    type: z.literal('cancel'),
    attempt: anyId,
    epoch: z.int(),
    reason: z.string(),
    grace_seconds: z.number(),
    yields: z
      .boolean()
      .default(false)
      .describe('its task goes on later: the agent may end its turn by itself within the grace'),
  }),
  z
    .object({ type: z.literal('hold'), attempt: anyId, epoch: z.int(), reason: z.string() })
    .describe('the attempt stays open without its process: the agent may end its turn by itself'),
  z.object({ type: z.literal('stale'), attempts: z.array(anyId) }),
  z.object({
    type: z.literal('message'),
    attempt: anyId,
    author: z.string(),
    text: z.string(),
    urgent: z.boolean(),
  }),
  z.object({ type: z.literal('task_updated'), attempt: anyId, fields: z.array(z.string()) }),
  z.object({ type: z.literal('checkpoint_resolved'), attempt: anyId, checkpoint }),
  z.object({ type: z.literal('deliver'), order: deliveryOrder }),
  z.object({ type: z.literal('drain'), draining: z.boolean() }),
  z.object({ type: z.literal('bye'), reason: z.string(), reconnect: z.boolean() }),
]);
export type ServerFrame = z.infer<typeof serverFrame>;
