import { aboutAttempt } from '../attempt/close-attempt.ts';
import { nextAttemptStatus } from '../attempt/attempt-machine.ts';
import { lacksPlan } from '../checkpoint/plan-approval.ts';
import { fence } from '../attempt/fence.ts';
import { setIdleTimer } from '../attempt/idle-timeout.ts';
import { row } from '../need.ts';
import { withAttempt, withRun } from '../rows/changed-row.ts';
import { changeTask } from '../task/change-task.ts';
import { dropTimers } from '../timer.ts';
import type { Handler } from './handler.ts';

/** The agent's process runs. Said again, it is answered again. */
export const attemptStart: Handler<'attempt.start'> = (draft, command) => {
  const attempt = fence(draft, command);
  if ('refused' in attempt) return attempt;
  const reply = { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  if (attempt.status !== 'claimed') return { ...reply, already: true };
  draft.load([
    row('runs', attempt.runId),
    row('taskSpecs', attempt.taskId),
    row('workers', attempt.workerId),
  ]);
  const { body } = command;
  const started = withAttempt(attempt, {
    status: nextAttemptStatus(attempt.status, 'start', 'running'),
    conversation: body.conversation ?? attempt.conversation,
    promptSha256: body.prompt_sha256 ?? attempt.promptSha256,
    startedAtMs: draft.nowMs,
    leaseUntilMs: Math.max(attempt.leaseUntilMs, draft.nowMs + attempt.leaseSeconds * 1_000),
  });
  draft.put('attempts', started);
  const task = draft.get('tasks', attempt.taskId);
  changeTask(draft, task.id, { startedAtMs: task.startedAtMs ?? draft.nowMs });
  if (draft.get('taskSpecs', task.id).spec.timeouts.start !== undefined) {
    dropTimers(draft, task.id, ['start_timeout'], attempt.id);
  }
  setIdleTimer(draft, task, attempt);
  if (body.bases !== undefined) {
    const run = draft.get('runs', attempt.runId);
    draft.put('runs', withRun(run, { bases: { ...body.bases, ...run.bases } }));
  }
  draft.event('attempt.started', aboutAttempt(attempt), { pid: body.pid ?? null });
  draft.event('task.started', aboutAttempt(attempt), {
    attempt: attempt.id,
    worker_name: draft.find('workers', attempt.workerId)?.name ?? attempt.workerId,
  });
  if (lacksPlan(draft, draft.get('tasks', task.id))) {
    draft.event('task.planning', aboutAttempt(attempt), {});
  }
  return reply;
};
