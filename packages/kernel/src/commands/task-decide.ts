import type { CheckpointResolve, CommandOf } from '@baton/contract';
import { decideCheckpoint } from '../checkpoint/decide-checkpoint.ts';
import { refuse } from '../refuse.ts';
import type { Handler } from './handler.ts';

/** Decides the only open checkpoint of a task. */
export const taskDecide: Handler<'task.decide'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const open = draft.list('openCheckpointsOfTask', task.id);
  const [checkpoint] = open;
  if (checkpoint === undefined) {
    return refuse('wrong_status', `Task ${task.key} is ${task.status} and waits for no decision.`, {
      status: task.status,
    });
  }
  if (open.length > 1) {
    const ids = open.map((it) => it.id);
    return refuse(
      'ambiguous',
      `Task ${task.key} has several open checkpoints; resolve one by its id.`,
      {
        checkpoints: ids,
      },
    );
  }
  const fault = decideCheckpoint(draft, checkpoint, bodyOf(command), command.via);
  return fault ?? { task: task.id, run: task.runId, checkpoint: checkpoint.id };
};

function bodyOf(command: CommandOf<'task.decide'>): CheckpointResolve {
  const { verb, body } = command;
  if (verb === 'answer') return body;
  return { option: verb, reason: body.reason };
}
