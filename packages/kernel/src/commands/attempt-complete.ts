import type { CommandOf } from '@baton/contract';
import { afterFailure } from '../attempt/after-failure.ts';
import { aboutAttempt, closeAttempt, type Ending } from '../attempt/close-attempt.ts';
import { checkOutputs, outputsOf, putOutput } from '../attempt/output.ts';
import { takeReport } from '../attempt/report.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import { deliverResult } from '../delivery/deliver-result.ts';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { list, row } from '../need.ts';
import { learnRepo } from '../matching/learn-repo.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { AttemptRow } from '../rows.ts';
import { moveTask } from '../task/change-task.ts';
import type { Handler } from './handler.ts';

/** The agent's result. Success completes the task, hands its contracts on and starts what waited. */
export const attemptComplete: Handler<'attempt.complete'> = (draft, command) => {
  const { result } = command.body;
  const ending = endingOf(command);
  const report = takeReport(draft, command, ending);
  if ('refused' in report) return report;
  if ('answered' in report) return report.answered;
  const { attempt, reportSha256 } = report;
  const reply = { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  loadForEnd(draft, attempt);
  if (result.status === 'failed' || result.status === 'blocked') {
    const reason = result.summary === '' ? `the agent reported ${result.status}` : result.summary;
    const failureClass = 'agent_error';
    closeAttempt(draft, attempt.id, 'fail', 'failed', {
      ...ending,
      failureClass,
      reason,
      reportSha256,
    });
    draft.event('attempt.failed', aboutAttempt(attempt), { failure_class: failureClass, reason });
    afterFailure(draft, attempt, failureClass, reason);
    return reply;
  }
  const fault = takeContracts(draft, attempt, command);
  if (fault !== null) return fault;
  completeTask(draft, attempt, { ...ending, reportSha256 });
  return reply;
};

/** What every end of an attempt reads. */
export function loadForEnd(draft: Draft, attempt: AttemptRow): void {
  draft.load([
    row('tasks', attempt.taskId),
    row('taskSpecs', attempt.taskId),
    row('runs', attempt.runId),
    row('workers', attempt.workerId),
    list('edgesOut', attempt.taskId),
    list('outputsOfTask', attempt.taskId),
  ]);
}

/** The contracts of a result are outputs like those sent before; all required ones must be there. */
function takeContracts(
  draft: Draft,
  attempt: AttemptRow,
  command: CommandOf<'attempt.complete'>,
): Refused | null {
  const contracts = command.body.result.contracts ?? {};
  const fault = checkOutputs(draft, attempt, contracts);
  if (fault !== null) return fault;
  const has = new Set([
    ...outputsOf(draft, attempt).map((it) => it.key),
    ...Object.keys(contracts),
  ]);
  const missing = draft
    .get('taskSpecs', attempt.taskId)
    .spec.outputs.filter((it) => it.required && !has.has(it.key))
    .map((it) => it.key);
  if (missing.length > 0) {
    return refuse(
      'contract_violation',
      `The task must hand on ${missing.join(', ')}; set each as an output, then complete again.`,
      { missing, violations: missing.map((key) => `${key} is missing`) },
    );
  }
  for (const [key, data] of Object.entries(contracts)) putOutput(draft, attempt, key, data);
  return null;
}

function completeTask(draft: Draft, attempt: AttemptRow, ending: Ending): void {
  const about = aboutAttempt(attempt);
  const task = draft.get('tasks', attempt.taskId);
  cancelCheckpointOf(draft, task, 'the attempt completed');
  dropForeignOutputs(draft, attempt);
  closeAttempt(draft, attempt.id, 'succeed', 'succeeded', ending);
  draft.event('attempt.succeeded', about, { usage: draft.get('attempts', attempt.id).usage });
  moveTask(draft, task.id, 'complete', 'completed', {
    reason: null,
    resultAttemptId: attempt.id,
    failureClass: null,
    freeRetries: 0,
  });
  draft.event('task.completed', about, { result: ending.result });
  for (const output of outputsOf(draft, attempt)) {
    draft.event('contract.fulfilled', about, {
      key: output.key,
      type: output.type,
      sha256: output.sha256,
    });
  }
  learnRepo(draft, attempt);
  cascade(draft, [task.id]);
  deliverResult(draft, task.id);
}

/** What earlier attempts of this generation set and this one did not is no output of the task. */
function dropForeignOutputs(draft: Draft, attempt: AttemptRow): void {
  for (const output of draft.list('outputsOfTask', attempt.taskId)) {
    if (output.generation === attempt.generation && output.attemptId !== attempt.id) {
      draft.remove('outputs', output.id);
    }
  }
}

function endingOf({ body }: CommandOf<'attempt.complete'>): Ending {
  const { result, usage, exit_code: exitCode, conversation } = body;
  return { result, usage, exitCode, conversation };
}
