import type { CommandOf, TaskResult } from '@baton/contract';
import { afterFailure } from '../attempt/after-failure.ts';
import { aboutAttempt, closeAttempt, type Ending } from '../attempt/close-attempt.ts';
import { checkOutputs, outputsOf, putOutput } from '../attempt/output.ts';
import { takeReport } from '../attempt/report.ts';
import { cancelCheckpointOf } from '../checkpoint/close-checkpoint.ts';
import { lacksPlan } from '../checkpoint/plan-approval.ts';
import type { Draft } from '../draft.ts';
import { list, row } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { AttemptRow } from '../rows.ts';
import { endCheck } from '../verification/end-check.ts';
import { takeResult } from '../verification/verify.ts';
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
  const isVerdict = draft.get('tasks', attempt.taskId).verifies !== null;
  if (isVerdict && result.status !== 'blocked') {
    endCheck(draft, attempt, { ...ending, reportSha256 }, result.status === 'success');
    return reply;
  }
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
  const fault = planFault(draft, attempt) ?? takeContracts(draft, attempt, result);
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

/** Where the task asks for it, nothing is done without an approved plan. */
function planFault(draft: Draft, attempt: AttemptRow): Refused | null {
  if (!lacksPlan(draft, draft.get('tasks', attempt.taskId))) return null;
  return refuse(
    'contract_violation',
    'The plan of this task is to be approved before its result: hand it in with `baton task plan`, ' +
      'wait for the word on it, then do the work.',
    { missing: ['plan'], violations: ['no plan was approved'] },
  );
}

/** The contracts of a result are outputs like those sent before; all required ones must be there. */
export function takeContracts(
  draft: Draft,
  attempt: AttemptRow,
  result: TaskResult,
): Refused | null {
  const contracts = result.contracts ?? {};
  const fault = checkOutputs(draft, attempt, contracts);
  if (fault !== null) return fault;
  const before = outputsOf(draft, attempt);
  const has = (key: string): boolean =>
    Object.hasOwn(contracts, key) || before.some((it) => it.key === key);
  const missing = draft
    .get('taskSpecs', attempt.taskId)
    .spec.outputs.filter((it) => it.required && !has(it.key))
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
  closeAttempt(draft, attempt.id, 'succeed', 'succeeded', ending);
  draft.event('attempt.succeeded', about, { usage: draft.get('attempts', attempt.id).usage });
  takeResult(draft, draft.get('attempts', attempt.id));
}

function endingOf({ body }: CommandOf<'attempt.complete'>): Ending {
  const { result, usage, exit_code: exitCode, conversation } = body;
  return { result, usage, exitCode, conversation };
}
