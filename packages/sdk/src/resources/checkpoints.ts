import type { Checkpoint } from '@baton/contract';
import type { CallBody, CallQuery, CallReply } from '../call-types.ts';
import type { Calls } from '../calls.ts';

/** What waits for a person. */
export interface CheckpointCalls {
  /** The inbox: open checkpoints, what holds up most first. */
  list(query?: CallQuery<'listCheckpoints'>): Promise<CallReply<'listCheckpoints'>>;
  get(id: string): Promise<Checkpoint>;
  /** One decision wins. @throws AppError checkpoint_closed showing the one that won. */
  resolve(id: string, decision: CallBody<'resolveCheckpoint'>): Promise<Checkpoint>;
}

export function checkpointCalls(calls: Calls): CheckpointCalls {
  return {
    list: (query = {}) => calls.call('listCheckpoints', { query }),
    get: (id) => calls.call('getCheckpoint', { params: { id } }),
    resolve: (id, body) => calls.call('resolveCheckpoint', { params: { id }, body }),
  };
}
