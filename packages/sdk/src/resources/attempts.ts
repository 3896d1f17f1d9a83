import type { Artifact, Attempt, Checkpoint, TaskOutput } from '@baton/contract';
import type { CallBody, CallReply } from '../call-types.ts';
import type { Calls } from '../calls.ts';

/**
 * What an attempt may do with its own token. Each body carries the attempt's epoch.
 * @throws AppError stale_epoch when the attempt is no longer the one that holds the task.
 */
export interface AttemptCalls {
  get(id: string): Promise<Attempt>;
  /** For people: takes a result that came too late. */
  adopt(id: string, reason?: string): Promise<Attempt>;
  assignment(id: string): Promise<CallReply<'getAssignment'>>;
  progress(id: string, body: CallBody<'progressAttempt'>): Promise<CallReply<'progressAttempt'>>;
  note(id: string, body: CallBody<'noteAttempt'>): Promise<CallReply<'noteAttempt'>>;
  setOutput(id: string, body: CallBody<'setAttemptOutput'>): Promise<TaskOutput>;
  /** Describes a file and, where its content is not stored yet, sends it. */
  addArtifact(
    id: string,
    body: CallBody<'addAttemptArtifact'>,
    content: Uint8Array<ArrayBuffer>,
  ): Promise<Artifact>;
  ask(id: string, body: CallBody<'openAttemptCheckpoint'>): Promise<Checkpoint>;
  /** Answers when the checkpoint is decided, or after `waitSeconds` (at most 50) as it is. */
  awaitCheckpoint(id: string, checkpoint: string, waitSeconds: number): Promise<Checkpoint>;
  complete(id: string, body: CallBody<'completeAttempt'>): Promise<CallReply<'completeAttempt'>>;
  fail(id: string, body: CallBody<'failAttempt'>): Promise<CallReply<'failAttempt'>>;
}

export function attemptCalls(calls: Calls): AttemptCalls {
  return {
    get: (id) => calls.call('getAttempt', { params: { id } }),
    adopt: (id, reason) =>
      calls.call('adoptAttempt', {
        params: { id },
        body: reason === undefined ? {} : { reason },
      }),
    assignment: (id) => calls.call('getAssignment', { params: { id } }),
    progress: (id, body) => calls.call('progressAttempt', { params: { id }, body }),
    note: (id, body) => calls.call('noteAttempt', { params: { id }, body }),
    setOutput: (id, body) => calls.call('setAttemptOutput', { params: { id }, body }),
    async addArtifact(id, body, content) {
      const made = await calls.call('addAttemptArtifact', { params: { id }, body });
      return made.upload === null ? made.artifact : calls.upload(made.upload, content);
    },
    ask: (id, body) => calls.call('openAttemptCheckpoint', { params: { id }, body }),
    awaitCheckpoint: (id, checkpoint, waitSeconds) =>
      calls.call('getAttemptCheckpoint', {
        params: { id, checkpoint },
        query: { wait: waitSeconds },
      }),
    complete: (id, body) => calls.call('completeAttempt', { params: { id }, body }),
    fail: (id, body) => calls.call('failAttempt', { params: { id }, body }),
  };
}
