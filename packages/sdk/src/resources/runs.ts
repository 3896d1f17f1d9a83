import type { Artifact, Checkpoint, LogPage, Run, RunGraph } from '@baton/contract';
import type { CallBody, CallOptions, CallQuery, CallReply } from '../call-types.ts';
import type { Calls } from '../calls.ts';
import { readFeed, type FeedItem, type FeedOptions } from '../feed.ts';
import { eachItem, type Page } from '../paging.ts';
import type { Transport } from '../transport.ts';
import { waitForRun, type WaitOptions } from '../wait.ts';

/** What can be done with runs. `id` is an id or a prefix that fits only one. */
export interface RunCalls {
  create(body: CallBody<'createRun'>, options?: CallOptions): Promise<RunGraph>;
  validate(body: CallBody<'validateRun'>): Promise<CallReply<'validateRun'>>;
  list(query?: CallQuery<'listRuns'>): Promise<Page<Run>>;
  /** Runs of all pages, newest first. */
  each(query?: CallQuery<'listRuns'>, itemsMax?: number): AsyncGenerator<Run>;
  get(id: string): Promise<Run>;
  graph(id: string): Promise<RunGraph>;
  /** Why it is in its status, and what it waits for. */
  explain(id: string): Promise<CallReply<'explainRun'>>;
  cancel(id: string, reason?: string): Promise<Run>;
  pause(id: string, reason?: string): Promise<Run>;
  resume(id: string): Promise<Run>;
  /** Adds the next version of its plan, in answer to `plan_version`. */
  replan(id: string, body: CallBody<'replanRun'>): Promise<RunGraph>;
  /** A new run of the same plan, linked to this one. */
  rerun(id: string, reason?: string): Promise<RunGraph>;
  /** Cancels it and takes it out of sight. */
  remove(id: string): Promise<void>;
  /** Deletes it with its logs, files and history; again is fine. */
  purge(id: string): Promise<void>;
  checkpoints(id: string): Promise<Page<Checkpoint>>;
  artifacts(id: string): Promise<Page<Artifact>>;
  logs(id: string, query?: CallQuery<'readRunLogs'>): Promise<LogPage>;
  /** The run's events from `after` on, live. */
  events(id: string, options?: FeedOptions): AsyncGenerator<FeedItem, void, undefined>;
  /** Resolves when the run has ended and its delivery is decided. */
  wait(id: string, options?: WaitOptions): Promise<Run>;
}

export function runCalls(calls: Calls, transport: Transport): RunCalls {
  return {
    create: (body, options = {}) => calls.call('createRun', { ...options, body }),
    validate: (body) => calls.call('validateRun', { body }),
    list: (query = {}) => calls.call('listRuns', { query }),
    each: (query = {}, itemsMax) =>
      eachItem(
        (cursor) =>
          calls.call('listRuns', { query: cursor === undefined ? query : { ...query, cursor } }),
        itemsMax,
      ),
    get: (id) => calls.call('getRun', { params: { id } }),
    graph: (id) => calls.call('getRunGraph', { params: { id } }),
    explain: (id) => calls.call('explainRun', { params: { id } }),
    cancel: (id, reason) =>
      calls.call('cancelRun', { params: { id }, body: reason === undefined ? {} : { reason } }),
    pause: (id, reason) =>
      calls.call('pauseRun', { params: { id }, body: reason === undefined ? {} : { reason } }),
    resume: (id) => calls.call('resumeRun', { params: { id }, body: {} }),
    replan: (id, body) => calls.call('replanRun', { params: { id }, body }),
    rerun: (id, reason) =>
      calls.call('rerunRun', { params: { id }, body: reason === undefined ? {} : { reason } }),
    remove: (id) => calls.call('deleteRun', { params: { id } }),
    purge: (id) => calls.call('purgeRun', { params: { id }, body: {} }),
    checkpoints: (id) => calls.call('listRunCheckpoints', { params: { id } }),
    artifacts: (id) => calls.call('listRunArtifacts', { params: { id } }),
    logs: (id, query = {}) => calls.call('readRunLogs', { params: { id }, query }),
    events: (id, options = {}) => readFeed(transport, 'listRunEvents', { id }, {}, options),
    wait: (id, options) => waitForRun(calls, transport, id, options),
  };
}
