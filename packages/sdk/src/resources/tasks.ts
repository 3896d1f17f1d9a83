import type {
  Action,
  Artifact,
  Attempt,
  Checkpoint,
  Dependency,
  Explanation,
  LogPage,
  Note,
  Task,
  TaskAwait,
  TaskDetail,
  TaskOutput,
  TaskWaitReply,
} from '@baton/contract';
import type { CallBody, CallQuery } from '../call-types.ts';
import type { Calls } from '../calls.ts';
import { readLogStream, type LogBytes, type LogOptions } from '../log-stream.ts';
import { eachItem, type Page } from '../paging.ts';
import type { Transport } from '../transport.ts';
import { waitForTask, type WaitOptions } from '../wait.ts';

/** What can be done with tasks. `id` is an id, a client-chosen id, or a prefix that fits only one. */
export interface TaskCalls {
  create(body: CallBody<'createTask'>): Promise<TaskDetail>;
  list(query?: CallQuery<'listTasks'>): Promise<Page<Task>>;
  /** Tasks of all pages, newest first. */
  each(query?: CallQuery<'listTasks'>, itemsMax?: number): AsyncGenerator<Task>;
  get(id: string): Promise<TaskDetail>;
  explain(id: string): Promise<Explanation>;
  approve(id: string, reason?: string): Promise<Task>;
  reject(id: string, reason?: string): Promise<Task>;
  answer(id: string, decision: CallBody<'answerTask'>): Promise<Task>;
  assign(id: string, worker: string | null): Promise<Task>;
  cancel(id: string, reason?: string): Promise<Task>;
  retry(id: string, body?: CallBody<'retryTask'>): Promise<Task>;
  pause(id: string, reason?: string): Promise<Task>;
  resume(id: string): Promise<Task>;
  /** Back to its start, under the same id, whatever its status is. */
  relaunch(id: string, body?: CallBody<'relaunchTask'>): Promise<Task>;
  /** A new task beside it and linked to it. */
  rerun(id: string, reason?: string): Promise<TaskDetail>;
  review(id: string, body: CallBody<'reviewTask'>): Promise<Task>;
  /** Cancels it and takes it out of its run. */
  remove(id: string): Promise<void>;
  /** Deletes it with its logs, files and history; again is fine. */
  purge(id: string): Promise<void>;
  progress(id: string, body: CallBody<'progressTask'>): Promise<Task>;
  notes(id: string): Promise<Page<Note>>;
  addNote(id: string, body: CallBody<'addNote'>): Promise<Note>;
  attempts(id: string): Promise<Page<Attempt>>;
  artifacts(id: string): Promise<Page<Artifact>>;
  outputs(id: string): Promise<Page<TaskOutput>>;
  logs(id: string, query?: CallQuery<'readTaskLogs'>): Promise<LogPage>;
  /** Output from its start, live, until the task ends. */
  followLogs(id: string, options?: LogOptions): AsyncGenerator<LogBytes, void, undefined>;
  /** The patch of the newest attempt that has one. */
  diff(id: string): Promise<string>;
  addDependency(id: string, body: CallBody<'addDependency'>): Promise<Dependency>;
  removeDependency(id: string, dependency: string): Promise<void>;
  ask(id: string, body: CallBody<'openTaskCheckpoint'>): Promise<Checkpoint>;
  /** Tasks whose parent it is, newest first. */
  children(id: string, query?: CallQuery<'listChildren'>): Promise<Page<Task>>;
  /** The ledger of what its agents did, oldest first. */
  actions(id: string, query?: CallQuery<'listActions'>): Promise<Page<Action>>;
  /** What its agent waits for and was given, newest first. */
  awaits(id: string): Promise<Page<TaskAwait>>;
  /** Resumes an agent that awaits others, with what has arrived. */
  wake(id: string): Promise<Task>;
  /** One look at several tasks that lasts until all, any or a quorum of them have ended, or the time is up. */
  waitFor(body: CallBody<'waitTasks'>): Promise<TaskWaitReply>;
  /** Resolves when the task has ended. */
  wait(id: string, options?: WaitOptions): Promise<TaskDetail>;
}

export function taskCalls(calls: Calls, transport: Transport): TaskCalls {
  const reasonOf = (reason: string | undefined) => (reason === undefined ? {} : { reason });
  return {
    create: (body) => calls.call('createTask', { body }),
    list: (query = {}) => calls.call('listTasks', { query }),
    each: (query = {}, itemsMax) =>
      eachItem(
        (cursor) =>
          calls.call('listTasks', { query: cursor === undefined ? query : { ...query, cursor } }),
        itemsMax,
      ),
    get: (id) => calls.call('getTask', { params: { id } }),
    explain: (id) => calls.call('explainTask', { params: { id } }),
    approve: (id, reason) => calls.call('approveTask', { params: { id }, body: reasonOf(reason) }),
    reject: (id, reason) => calls.call('rejectTask', { params: { id }, body: reasonOf(reason) }),
    answer: (id, body) => calls.call('answerTask', { params: { id }, body }),
    assign: (id, worker) => calls.call('assignTask', { params: { id }, body: { worker } }),
    cancel: (id, reason) => calls.call('cancelTask', { params: { id }, body: reasonOf(reason) }),
    retry: (id, body = {}) => calls.call('retryTask', { params: { id }, body }),
    pause: (id, reason) => calls.call('pauseTask', { params: { id }, body: reasonOf(reason) }),
    resume: (id) => calls.call('resumeTask', { params: { id }, body: {} }),
    relaunch: (id, body = {}) => calls.call('relaunchTask', { params: { id }, body }),
    rerun: (id, reason) => calls.call('rerunTask', { params: { id }, body: reasonOf(reason) }),
    review: (id, body) => calls.call('reviewTask', { params: { id }, body }),
    remove: (id) => calls.call('deleteTask', { params: { id } }),
    purge: (id) => calls.call('purgeTask', { params: { id }, body: {} }),
    progress: (id, body) => calls.call('progressTask', { params: { id }, body }),
    notes: (id) => calls.call('listNotes', { params: { id } }),
    addNote: (id, body) => calls.call('addNote', { params: { id }, body }),
    attempts: (id) => calls.call('listAttempts', { params: { id } }),
    artifacts: (id) => calls.call('listTaskArtifacts', { params: { id } }),
    outputs: (id) => calls.call('listOutputs', { params: { id } }),
    logs: (id, query = {}) => calls.call('readTaskLogs', { params: { id }, query }),
    followLogs: (id, options = {}) => readLogStream(transport, 'streamTaskLogs', { id }, options),
    diff: async (id) => (await calls.download('getTaskDiff', id)).text(),
    addDependency: (id, body) => calls.call('addDependency', { params: { id }, body }),
    removeDependency: (id, dependency) =>
      calls.call('removeDependency', { params: { id, dependency } }),
    ask: (id, body) => calls.call('openTaskCheckpoint', { params: { id }, body }),
    children: (id, query = {}) => calls.call('listChildren', { params: { id }, query }),
    actions: (id, query = {}) => calls.call('listActions', { params: { id }, query }),
    awaits: (id) => calls.call('listAwaits', { params: { id } }),
    wake: (id) => calls.call('wakeTask', { params: { id }, body: {} }),
    waitFor: (body) => calls.call('waitTasks', { body }),
    wait: (id, options) => waitForTask(calls, transport, id, options),
  };
}
