import { decideCheckpoint } from '../checkpoint/decide-checkpoint.ts';
import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** The one decision of a checkpoint. */
export const checkpointResolve: Handler<'checkpoint.resolve'> = (draft, command) => {
  const checkpoint = draft.own('checkpoints', command.checkpoint);
  if (checkpoint === null) {
    return refuse('not_found', `There is no checkpoint ${command.checkpoint}.`);
  }
  const fault = decideCheckpoint(draft, checkpoint, command.body, command.via);
  if (fault !== null) return fault;
  return {
    checkpoint: checkpoint.id,
    run: checkpoint.runId,
    ...(checkpoint.taskId === null ? {} : { task: checkpoint.taskId }),
  };
};
