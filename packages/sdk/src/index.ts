export type {
  CallArgs,
  CallBody,
  CallInput,
  CallName,
  CallOptions,
  CallQuery,
  CallReply,
  DownloadName,
} from './call-types.ts';
export { backoffMs, pause, type Backoff } from './backoff.ts';
export type { Calls } from './calls.ts';
export { createClient, type Client } from './client.ts';
export type { FeedItem, FeedOptions } from './feed.ts';
export { decodeLogChunk, type LogBytes, type LogOptions } from './log-stream.ts';
export { eachItem, type Page } from './paging.ts';
export { errorOfResponse, problemOf } from './problem-error.ts';
export type { AttemptCalls } from './resources/attempts.ts';
export type { CheckpointCalls } from './resources/checkpoints.ts';
export type { KeyCalls } from './resources/keys.ts';
export type { SchedulingCalls } from './resources/scheduling.ts';
export type { RunCalls } from './resources/runs.ts';
export type { TaskCalls } from './resources/tasks.ts';
export type { WorkerCalls } from './resources/workers.ts';
export type { StreamOptions, StreamState } from './sse.ts';
export type { ClientOptions } from './transport.ts';
export type { WaitOptions } from './wait.ts';
