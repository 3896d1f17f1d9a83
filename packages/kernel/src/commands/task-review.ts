import type { ReviewAction } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import { row, rows } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { TaskRow, TaskSpecRow } from '../rows.ts';
import { reopenRun } from '../run/settle.ts';
import { changeTask } from '../task/change-task.ts';
import { redoTasks, rejudgeDependents } from '../task/redo-task.ts';
import type { Handler } from './handler.ts';
import { forgetFailure, refuseRedo } from './task-retry.ts';

type Review = TaskSpecRow['review'];

const STATES: { readonly [A in ReviewAction]: Review['state'] } = {
  approve: 'approved',
  request_changes: 'changes_requested',
  reject: 'rejected',
  reset: 'none',
};

/**
 * A reviewer's word on finished work. It is a stamp; `reject` shuts the gates on it, `request_changes`
 * has the task done again in the same conversation with the note. Said twice, it counts once.
 */
export const taskReview: Handler<'task.review'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const { action, note } = command;
  const reply = { task: task.id, run: task.runId };
  draft.load([row('taskSpecs', task.id), row('runs', task.runId)]);
  const { review } = draft.get('taskSpecs', task.id);
  if (review.state === STATES[action] && (review.note ?? null) === note) {
    return { ...reply, already: true };
  }
  if (task.status !== 'completed' && task.status !== 'failed') {
    return refuse(
      'wrong_status',
      `Task ${task.key} is ${task.status}; a review is of completed or failed work.`,
      { status: task.status },
    );
  }
  if (action === 'request_changes') {
    if (note === null || note.trim() === '') {
      return refuse('bad_request', 'Say in the reason what is to be changed.');
    }
    const refused = redoWith(draft, task, note);
    if (refused !== null) return refused;
    stamp(draft, task, action, note);
    return reply;
  }
  stamp(draft, task, action, note);
  const rejected = action === 'reject';
  const moves = (action === 'approve') !== (review.state === 'approved');
  if (rejected !== task.rejected) changeTask(draft, task.id, { rejected });
  if ((rejected !== task.rejected || moves) && hasGates(draft, task.id)) {
    rejudgeDependents(draft, task.id);
  }
  return reply;
};

function stamp(draft: Draft, task: TaskRow, action: ReviewAction, note: string | null): void {
  const by = draft.actor.name ?? draft.actor.id ?? draft.actor.kind;
  const state = STATES[action];
  const review: Review =
    state === 'none'
      ? { state, by: null, at: null, note: null }
      : { state, by, at: isoOf(draft.nowMs), note };
  draft.put('taskSpecs', { ...draft.get('taskSpecs', task.id), review });
  draft.event('task.reviewed', { run: task.runId, task: task.id }, { state, note });
}

/** Has the work done again, by the same agent where it can be gone on with. */
function redoWith(draft: Draft, task: TaskRow, note: string): Refused | null {
  const refused = refuseRedo(draft, task);
  if (refused !== null) return refused;
  const from = task.resultAttemptId ?? task.attemptId;
  draft.load(rows('attempts', [from]));
  const started = from !== null && draft.get('attempts', from).startedAtMs !== null ? from : null;
  reopenRun(draft, task.runId, `changes_requested:${task.key}`);
  redoTasks(draft, task.id, {
    downstream: 'keep',
    reason: note,
    ...(started === null
      ? {}
      : { goOn: { attempt: started, wake: { kind: 'feedback', text: note } } }),
  });
  forgetFailure(draft, task.runId);
  return null;
}

function hasGates(draft: Draft, id: string): boolean {
  return draft.list('edgesOut', id).some((edge) => edge.type === 'gate');
}
