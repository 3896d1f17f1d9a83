import { z } from 'zod';
import { anyId, instant } from './ids.ts';
import { jsonObject } from './json.ts';
import { taskResult, usage } from './result.ts';
import { ATTEMPT_STATUSES, FAILURE_CLASSES } from './statuses.ts';

/** One execution of a task by one worker under one epoch. */
export const attempt = z.object({
  id: anyId,
  task: anyId,
  run: anyId,
  number: z.int().describe('1 for the first attempt of a generation'),
  generation: z.int(),
  epoch: z.int(),
  worker: anyId,
  worker_name: z.string(),
  engine: z.string(),
  status: z.enum(ATTEMPT_STATUSES),
  failure_class: z.enum(FAILURE_CLASSES).nullable(),
  reason: z.string().nullable(),
  conversation: z.string().nullable().describe("the agent's own id, for resume"),
  prompt_sha256: z.string().nullable(),
  manifest: jsonObject.describe('what the attempt was given, frozen at claim'),
  manifest_sha256: z.string(),
  usage,
  exit_code: z.int().nullable(),
  result: taskResult.nullable(),
  orphan_result: taskResult
    .nullable()
    .describe('a result that came when the attempt had been given up; it counts once adopted'),
  lease_until: instant.nullable(),
  claimed_at: instant,
  started_at: instant.nullable(),
  ended_at: instant.nullable(),
});
export type Attempt = z.infer<typeof attempt>;

/** A file that an attempt produced, addressed by its content. */
export const artifact = z.object({
  id: anyId,
  task: anyId,
  run: anyId,
  attempt: anyId,
  name: z.string(),
  kind: z.enum(['patch', 'bundle', 'log', 'report', 'screenshot', 'file']),
  media_type: z.string(),
  size: z.int().nonnegative(),
  sha256: z.string(),
  meta: jsonObject,
  created_at: instant,
});
export type Artifact = z.infer<typeof artifact>;

/** Streams of an attempt's log. `agent` holds agent events as JSON lines. */
export const LOG_STREAMS = ['stdout', 'stderr', 'agent', 'system'] as const;
export type LogStream = (typeof LOG_STREAMS)[number];
export const logStream = z.enum(LOG_STREAMS);

/** A piece of a log. `offset` counts bytes from the start of its stream. */
export const logChunk = z.object({
  attempt: anyId,
  stream: logStream,
  offset: z.int().nonnegative(),
  data: z.string(),
  encoding: z.enum(['utf8', 'base64']),
  at: instant,
});
export type LogChunk = z.infer<typeof logChunk>;

/** Answer of a log read: chunks in order; ask again with `next_cursor`; `ended` when no more will come. */
export const logPage = z.object({
  items: z.array(logChunk),
  next_cursor: z.string().nullable(),
  ended: z.boolean(),
});
export type LogPage = z.infer<typeof logPage>;
