import { createCalls, type Calls } from './calls.ts';
import { readFeed, type FeedItem, type FeedOptions } from './feed.ts';
import { attemptCalls, type AttemptCalls } from './resources/attempts.ts';
import { checkpointCalls, type CheckpointCalls } from './resources/checkpoints.ts';
import { keyCalls, type KeyCalls } from './resources/keys.ts';
import { runCalls, type RunCalls } from './resources/runs.ts';
import { schedulingCalls, type SchedulingCalls } from './resources/scheduling.ts';
import { taskCalls, type TaskCalls } from './resources/tasks.ts';
import { workerCalls, type WorkerCalls } from './resources/workers.ts';
import { createTransport, type ClientOptions } from './transport.ts';

/** A control plane, as a program sees it. Holds no connection: nothing to close. */
export interface Client extends Calls {
  readonly baseUrl: string;
  readonly runs: RunCalls;
  readonly tasks: TaskCalls;
  readonly checkpoints: CheckpointCalls;
  readonly workers: WorkerCalls;
  readonly attempts: AttemptCalls;
  readonly keys: KeyCalls;
  readonly scheduling: SchedulingCalls;
  /** The feed of the project, or of one run or task, as it happens. */
  events(
    filter?: { readonly run?: string; readonly task?: string },
    options?: FeedOptions,
  ): AsyncGenerator<FeedItem, void, undefined>;
}

/** Makes a client. Nothing is sent until the first call. */
export function createClient(options: ClientOptions): Client {
  const transport = createTransport(options);
  const calls = createCalls(transport);
  return {
    ...calls,
    baseUrl: transport.baseUrl,
    runs: runCalls(calls, transport),
    tasks: taskCalls(calls, transport),
    checkpoints: checkpointCalls(calls),
    workers: workerCalls(calls),
    attempts: attemptCalls(calls),
    keys: keyCalls(calls),
    scheduling: schedulingCalls(calls),
    events: (filter = {}, feed = {}) => readFeed(transport, 'listEvents', {}, filter, feed),
  };
}
