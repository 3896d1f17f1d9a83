import { isTerminalRun } from '@baton/contract';
import { openBarrier } from '../checkpoint/open-checkpoint.ts';
import { onTimeoutOf, questionFault } from '../checkpoint/question-faults.ts';
import { list, rows } from '../need.ts';
import { refuse } from '../refuse.ts';
import { changeTask } from '../task/change-task.ts';
import { putReady } from '../task/make-ready.ts';
import type { Handler } from './handler.ts';

/**
 * A barrier: nothing more of the run is handed out until it is decided or its deadline comes; what runs
 * goes on to its next stop. A run has one at a time.
 */
export const runCheckpoint: Handler<'run.checkpoint'> = (draft, command) => {
  const run = draft.own('runs', command.run);
  if (run === null) return refuse('not_found', `There is no run ${command.run}.`);
  if (run.barrierId !== null) {
    return refuse(
      'checkpoint_open',
      `Run ${run.id} waits for checkpoint ${run.barrierId} already; it must be decided first.`,
      { checkpoint: run.barrierId },
    );
  }
  if (isTerminalRun(run.status) || run.status === 'cancelling') {
    return refuse('run_ended', `Run ${run.id} is ${run.status}; there is nothing to hold back.`);
  }
  const { body } = command;
  const fault = questionFault(body);
  if (fault !== null) return fault;
  draft.load([list('tasksOfRun', run.id)]);
  const barrier = openBarrier(draft, run, {
    kind: body.kind,
    question: body.question,
    context: body.context,
    options: body.options,
    freeform: body.freeform ?? body.options.length === 0,
    defaultOption: body.default ?? null,
    timeoutSeconds: body.timeout_seconds,
    onTimeout: onTimeoutOf(body),
    answerBy: body.kind === 'review' ? 'human' : body.answer_by,
    resume: 'new_attempt',
  });
  const free = draft
    .list('tasksOfRun', run.id)
    .filter((it) => it.status === 'ready' && it.reason === null);
  draft.load(
    rows(
      'ready',
      free.map((it) => it.id),
    ),
  );
  for (const task of free) {
    draft.get('ready', task.id);
    putReady(draft, changeTask(draft, task.id, { reason: 'barrier' }), 'barrier');
  }
  return { run: run.id, checkpoint: barrier.id };
};
