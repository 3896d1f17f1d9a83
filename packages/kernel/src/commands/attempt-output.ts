import { fence } from '../attempt/fence.ts';
import { checkOutputs, putOutput } from '../attempt/output.ts';
import { list, row } from '../need.ts';
import { changeTask } from '../task/change-task.ts';
import type { Handler } from './handler.ts';

/** One contract's data. It counts once the task completes; sent again, it replaces what was there. */
export const attemptOutput: Handler<'attempt.output'> = (draft, command) => {
  const attempt = fence(draft, command);
  if ('refused' in attempt) return attempt;
  draft.load([
    row('taskSpecs', attempt.taskId),
    list('outputsOfTask', attempt.taskId),
    row('runs', attempt.runId),
  ]);
  const { key, data } = command.body;
  const fault = checkOutputs(draft, attempt, { [key]: data });
  if (fault !== null) return fault;
  const reply = {
    output: `${attempt.taskId}/${key}/${attempt.generation}`,
    attempt: attempt.id,
    task: attempt.taskId,
    run: attempt.runId,
  };
  if (!putOutput(draft, attempt, key, data)) return { ...reply, already: true };
  if (draft.get('tasks', attempt.taskId).freeRetries > 0) {
    changeTask(draft, attempt.taskId, { freeRetries: 0 });
  }
  return reply;
};
