import { z } from 'zod';
import { checkpointOpen } from './checkpoint.ts';
import { contractKey } from './ids.ts';
import { json, jsonObject } from './json.ts';
import { LIMITS } from './limits.ts';
import { logStream } from './attempt.ts';
import { taskResult, usage } from './result.ts';
import { FAILURE_CLASSES } from './statuses.ts';

/**
 * Bodies of everything a worker writes for an attempt, over the link and over HTTP alike.
 * Each has no effect unless `epoch` is the task's current one and the attempt is open (`stale_epoch`).
 */
const fenced = { epoch: z.int().nonnegative() };

/** What a process can end with, on any system. */
const exitCode = z.int32();

/** The agent process runs. `bases` tells which commit each `repo@ref` meant; the first to say so wins. */
export const attemptStart = z.strictObject({
  ...fenced,
  pid: z.int().optional(),
  conversation: z.string().optional(),
  prompt_sha256: z.string().optional(),
  bases: z.record(z.string(), z.string()).optional(),
});

/** Progress in the agent's words, and what it used so far. */
export const progressBody = z.strictObject({
  percent: z.number().min(0).max(100).optional(),
  text: z.string().max(2_000).default(''),
});
export const attemptProgress = z.strictObject({
  ...fenced,
  progress: progressBody.optional(),
  usage: usage.optional(),
  conversation: z.string().optional(),
});

/** One contract's data; validated against the task's declared schema before it is accepted. */
export const attemptOutput = z.strictObject({ ...fenced, key: contractKey, data: json });

/** A file's description. The answer says where to upload its content, if it is not there yet. */
export const attemptArtifact = z.strictObject({
  ...fenced,
  name: z.string().min(1).max(300),
  kind: z.enum(['patch', 'bundle', 'log', 'report', 'screenshot', 'file']).default('file'),
  media_type: z.string().max(200).default('application/octet-stream'),
  size: z.int().nonnegative().max(LIMITS.artifactBytesMax),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  meta: jsonObject.default({}),
});

export const attemptCheckpoint = checkpointOpen.extend(fenced);
/** The agent's plan of its work; a person approves it or sends it back with feedback. */
export const attemptPlan = z.strictObject({
  ...fenced,
  client_id: z.string().max(128).optional(),
  plan: z.string().min(1).max(LIMITS.specCharsMax),
  resume: z.enum(['live', 'held', 'new_attempt']).default('live'),
  timeout_seconds: z.number().positive().max(31_536_000).optional(),
});
export type AttemptPlan = z.infer<typeof attemptPlan>;

export const attemptNote = z.strictObject({ ...fenced, text: z.string().min(1).max(20_000) });
export const attemptComplete = z.strictObject({
  ...fenced,
  result: taskResult,
  usage: usage.optional(),
  exit_code: exitCode.nullable().optional(),
  conversation: z.string().optional(),
});
export const attemptFail = z.strictObject({
  ...fenced,
  reason: z.string().max(20_000),
  failure_class: z.enum(FAILURE_CLASSES).default('agent_error'),
  usage: usage.optional(),
  exit_code: exitCode.nullable().optional(),
  conversation: z.string().optional(),
  result: taskResult.optional(),
  retry_at: z.iso.datetime().optional().describe("when a provider's rate limit resets"),
});
export const attemptRelease = z.strictObject({
  ...fenced,
  reason: z.string().max(2_000).optional(),
});
export const attemptHeartbeat = z.strictObject({ ...fenced, progress: progressBody.optional() });

/** A piece of log. Bytes that overlap what is stored are cut by offset; a gap is refused with the offset wanted. */
export const attemptLog = z.strictObject({
  ...fenced,
  stream: logStream.default('stdout'),
  offset: z.int().nonnegative(),
  data: z.string(),
  encoding: z.enum(['utf8', 'base64']).default('utf8'),
});

/** A beat of a worker: which attempts it holds, and how they are. */
export const workerHeartbeat = z.strictObject({
  attempts: z
    .array(
      z.object({
        id: z.string(),
        epoch: z.int(),
        progress: progressBody.optional(),
        usage: usage.optional(),
      }),
    )
    .max(10_000)
    .default([]),
});
export const workerHeartbeatReply = z.object({
  cancel: z.array(z.string()).describe('attempts to stop because somebody cancelled them'),
  yields: z
    .array(z.string())
    .default([])
    .describe('those of `cancel` whose task goes on later: what they did is kept'),
  stale: z.array(z.string()).describe('attempts this worker no longer holds'),
  lease_seconds: z.number(),
});
export type WorkerHeartbeat = z.infer<typeof workerHeartbeat>;
export type WorkerHeartbeatReply = z.infer<typeof workerHeartbeatReply>;

export type AttemptStart = z.infer<typeof attemptStart>;
export type AttemptProgress = z.infer<typeof attemptProgress>;
export type AttemptOutput = z.infer<typeof attemptOutput>;
export type AttemptArtifact = z.infer<typeof attemptArtifact>;
export type AttemptCheckpoint = z.infer<typeof attemptCheckpoint>;
export type AttemptNote = z.infer<typeof attemptNote>;
export type AttemptComplete = z.infer<typeof attemptComplete>;
export type AttemptFail = z.infer<typeof attemptFail>;
export type AttemptRelease = z.infer<typeof attemptRelease>;
export type AttemptLog = z.infer<typeof attemptLog>;
