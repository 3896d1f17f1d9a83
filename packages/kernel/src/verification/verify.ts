import type { Resolution, VerificationCheck, VerificationPolicy } from '@baton/contract';
import { aboutAttempt } from '../attempt/close-attempt.ts';
import { continueTask } from '../attempt/continuation.ts';
import { outputsOf } from '../attempt/output.ts';
import { openCheckpoint, tellNeedsHuman } from '../checkpoint/open-checkpoint.ts';
import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import { list, row } from '../need.ts';
import type { AttemptRow, CheckpointRow, TaskRow } from '../rows.ts';
import { changeTask, moveTask } from '../task/change-task.ts';
import { failTask } from '../task/end-task.ts';
import { finishTask } from '../task/finish-task.ts';
import { builtInFaults } from './built-in-checks.ts';
import { makeCheck } from './make-check.ts';
import { nextCheck, policyOf } from './policy.ts';
import { isCurrent } from './verification-state.ts';

type State = NonNullable<TaskRow['verification']>;

/**
 * An attempt has ended well: its result is the task's, or is checked first if the task has a policy for
 * that. Until it is accepted nothing that it hands on is seen by others.
 */
export function takeResult(draft: Draft, attempt: AttemptRow): void {
  const policy = policyOf(draft, attempt.taskId);
  if (policy === null) {
    finishTask(draft, attempt);
    return;
  }
  const task = draft.get('tasks', attempt.taskId);
  moveTask(draft, task.id, 'verify', 'verifying', {
    reason: null,
    failureClass: null,
    freeRetries: 0,
    verification: {
      check: null,
      by: null,
      attempt: attempt.id,
      commit: attempt.result?.commit?.commit ?? null,
      rejections: task.verification?.rejections ?? 0,
      verdict: null,
      reason: null,
      at: null,
    },
  });
  draft.event('task.verifying', aboutAttempt(attempt), {});
  goOn(draft, task.id, policy, null);
}

/** The verdict of a verification task that has ended. One on anything but the newest result is dropped. */
export function takeVerdict(
  draft: Draft,
  check: TaskRow,
  isAccepted: boolean,
  words: string,
): void {
  if (check.verifies === null) return;
  draft.load([
    row('tasks', check.verifies.task),
    row('taskSpecs', check.verifies.task),
    row('attempts', check.verifies.attempt),
  ]);
  const judged = draft.get('tasks', check.verifies.task);
  if (!isCurrent(check, judged)) {
    tell(draft, judged, 'dropped', {
      ...check.verifies,
      by: check.id,
      reason: 'it judged an older result',
    });
    return;
  }
  if (isAccepted) accept(draft, judged, check.verifies.check, words);
  else reject(draft, judged, words);
}

/** A person's decision on a result: their own check of it, or what to do about a rejection. */
export function decideResult(draft: Draft, task: TaskRow, resolution: Resolution): void {
  const words = resolution.text ?? resolution.reason ?? '';
  const said = words === '' ? `rejected by ${resolution.by}` : words;
  draft.load([row('attempts', stateOf(task).attempt)]);
  switch (resolution.option) {
    case 'accept':
      accept(draft, task, 'person', words);
      return;
    case 'fail':
      failTask(draft, task.id, 'verification_rejected', said);
      return;
    case 'retry':
      retry(draft, task, words === '' ? (stateOf(task).reason ?? said) : words);
      return;
    default:
      if (stateOf(task).verdict === 'rejected') retry(draft, task, said);
      else reject(draft, task, said);
  }
}

/** Whether a checkpoint asks a person about the result of its task. */
export function asksAboutResult(task: TaskRow, checkpoint: Pick<CheckpointRow, 'id'>): boolean {
  return task.verification?.by === checkpoint.id;
}

/** Begins the check that follows `after`; after the last one the task is complete. */
function goOn(
  draft: Draft,
  id: string,
  policy: VerificationPolicy,
  after: VerificationCheck | null,
): void {
  const task = draft.get('tasks', id);
  const attempt = draft.get('attempts', stateOf(task).attempt);
  const check = nextCheck(policy, after);
  switch (check) {
    case null:
      note(draft, id, { by: null, verdict: 'accepted', at: isoOf(draft.nowMs) });
      finishTask(draft, attempt);
      return;
    case 'built_in': {
      const faults = lookAt(draft, policy, attempt);
      note(draft, id, { check });
      if (faults.length === 0) goOn(draft, id, policy, check);
      else reject(draft, draft.get('tasks', id), faults.join('\n'));
      return;
    }
    case 'commands':
    case 'judge':
      note(draft, id, { check, by: makeCheck(draft, task, attempt, check) });
      tell(draft, draft.get('tasks', id), 'started', {});
      return;
    case 'person': {
      note(draft, id, { check });
      const { person } = policy.checks;
      const { question, timeout_seconds: timeoutSeconds } =
        typeof person === 'object' ? person : {};
      ask(draft, id, {
        question: question ?? `Is the result of ${task.key} good?`,
        options: ['accept', 'reject'],
        timeoutSeconds,
      });
    }
  }
}

function lookAt(draft: Draft, policy: VerificationPolicy, attempt: AttemptRow): string[] {
  draft.load([list('outputsOfTask', attempt.taskId), list('artifactsOfTask', attempt.taskId)]);
  return builtInFaults(policy.checks, {
    result: attempt.result,
    outputs: outputsOf(draft, attempt).map((it) => it.key),
    artifacts: draft
      .list('artifactsOfTask', attempt.taskId)
      .filter((it) => it.attemptId === attempt.id),
  });
}

function accept(draft: Draft, task: TaskRow, by: VerificationCheck, words: string): void {
  const policy = policyOf(draft, task.id);
  if (policy === null) return;
  tell(draft, task, 'accepted', { reason: words });
  note(draft, task.id, { by: null, verdict: null, reason: words === '' ? null : words });
  goOn(draft, task.id, policy, by);
}

function reject(draft: Draft, task: TaskRow, words: string): void {
  const policy = policyOf(draft, task.id);
  if (policy === null) return;
  const rejections = stateOf(task).rejections + 1;
  tell(draft, task, 'rejected', { reason: words });
  note(draft, task.id, {
    by: null,
    verdict: 'rejected',
    reason: words,
    rejections,
    at: isoOf(draft.nowMs),
  });
  const now = draft.get('tasks', task.id);
  switch (policy.on_reject) {
    case 'retry':
      if (rejections <= policy.max_retries) retry(draft, now, words);
      else
        failTask(draft, task.id, 'verification_rejected', `rejected ${rejections} times: ${words}`);
      return;
    case 'fail':
      failTask(draft, task.id, 'verification_rejected', words);
      return;
    case 'replan':
      failTask(draft, task.id, 'verification_rejected', words, 'replan');
      return;
    case 'ask':
      ask(draft, task.id, {
        question: `The result of ${task.key} was rejected. What now?\n\n${words}`,
        options: ['accept', 'retry', 'fail'],
        timeoutSeconds: undefined,
      });
  }
}

/** Hands the task out again, to be gone on with in the same conversation, with what was wrong. */
function retry(draft: Draft, task: TaskRow, words: string): void {
  const { attempt } = stateOf(task);
  draft.load([row('attempts', attempt)]);
  // It is counted as a rejection, not as an attempt: the policy says how often each may be.
  changeTask(draft, task.id, {
    attemptCount: Math.max(0, task.attemptCount - 1),
    feedback: words,
    continueAttemptId: attempt,
    failureClass: 'verification_rejected',
  });
  draft.event(
    'task.retrying',
    { run: task.runId, task: task.id, attempt },
    {
      attempt,
      failure_class: 'verification_rejected',
      reason: words,
      retry_at: null,
      counted: false,
    },
  );
  const input = task.status === 'waiting' ? 'resume' : 'offer';
  continueTask(draft, task.id, input, { kind: 'feedback', text: words });
}

function ask(
  draft: Draft,
  id: string,
  asked: {
    readonly question: string;
    readonly options: readonly string[];
    readonly timeoutSeconds: number | undefined;
  },
): void {
  const task = draft.get('tasks', id);
  if (task.status === 'verifying') moveTask(draft, id, 'park', 'waiting', { reason: 'review' });
  const opened = openCheckpoint(draft, draft.get('tasks', id), {
    kind: 'review',
    ...asked,
    context: { attempt: stateOf(task).attempt, commit: stateOf(task).commit },
    freeform: true,
    onTimeout: asked.timeoutSeconds === undefined ? 'keep_waiting' : 'fail',
    resume: 'new_attempt',
  });
  note(draft, id, { by: opened.id });
  tell(draft, draft.get('tasks', id), 'started', {});
  tellNeedsHuman(draft, opened);
}

function stateOf(task: TaskRow): State {
  if (task.verification === null) throw new TypeError(`task ${task.id} is not being verified`);
  return task.verification;
}

function note(draft: Draft, id: string, patch: Partial<State>): void {
  const state = stateOf(draft.get('tasks', id));
  changeTask(draft, id, { verification: { ...state, ...patch } });
}

/** Tells of a verdict with the commit that it is about. */
function tell(
  draft: Draft,
  task: TaskRow,
  what: 'started' | 'accepted' | 'rejected' | 'dropped',
  more: {
    readonly reason?: string;
    readonly by?: string;
    readonly attempt?: string;
    readonly commit?: string | null;
    readonly check?: string;
  },
): void {
  const { check, by, attempt, commit } = task.verification ?? {};
  draft.event(
    `verification.${what}`,
    { run: task.runId, task: task.id, attempt: more.attempt ?? attempt ?? null },
    {
      check: more.check ?? check ?? null,
      by: more.by ?? by ?? null,
      attempt: more.attempt ?? attempt ?? null,
      commit: more.commit === undefined ? (commit ?? null) : more.commit,
      ...(more.reason === undefined ? {} : { reason: more.reason }),
    },
  );
}
