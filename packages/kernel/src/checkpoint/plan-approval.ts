import type { Resolution, TaskPlan } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import type { CheckpointRow, TaskRow } from '../rows.ts';
import type { Question } from './open-checkpoint.ts';

interface HandedIn {
  readonly plan: string;
  readonly resume: CheckpointRow['resume'];
  readonly timeoutSeconds: number | undefined;
  readonly clientId: string | undefined;
}

/** What a person is asked about an agent's plan; words are feedback, and send it back. */
export function questionOfPlan(draft: Draft, task: TaskRow, given: HandedIn): Question {
  return {
    kind: 'plan_approval',
    question: `Approve the plan of ${task.key}?`,
    context: { plan: given.plan, revision: revisionOf(draft, task) },
    options: ['approve', 'revise', 'reject'],
    freeform: true,
    timeoutSeconds: given.timeoutSeconds,
    onTimeout: given.timeoutSeconds === undefined ? 'keep_waiting' : 'fail',
    answerBy: 'human',
    resume: given.resume,
    clientId: given.clientId,
  };
}

/** Keeps the plan on its task and tells it. */
export function submitPlan(draft: Draft, task: TaskRow, text: string, checkpoint: string): void {
  const revision = revisionOf(draft, task);
  putPlan(draft, task.id, {
    text,
    state: 'submitted',
    revision,
    generation: task.generation,
    feedback: null,
    by: null,
    submitted_at: isoOf(draft.nowMs),
    decided_at: null,
  });
  draft.event(
    'task.plan_submitted',
    { run: task.runId, task: task.id, attempt: task.attemptId },
    { plan: text, revision, checkpoint },
  );
}

/** Writes a person's word on a plan. Answers what the agent is told. */
export function decidePlan(
  draft: Draft,
  task: TaskRow,
  resolution: Resolution,
): 'approved' | 'revised' {
  const { plan } = draft.get('taskSpecs', task.id);
  const isApproved = resolution.option === 'approve';
  const feedback = resolution.text ?? resolution.reason;
  if (plan !== null) {
    putPlan(draft, task.id, {
      ...plan,
      state: isApproved ? 'approved' : 'revised',
      feedback,
      by: resolution.by,
      decided_at: resolution.at,
    });
  }
  const about = { run: task.runId, task: task.id, attempt: task.attemptId };
  if (isApproved) draft.event('task.plan_approved', about, { reason: resolution.reason });
  else draft.event('task.plan_revised', about, { feedback });
  return isApproved ? 'approved' : 'revised';
}

/** Whether a task's agent still has to have its plan approved before it may hand in a result. */
export function lacksPlan(draft: Draft, task: TaskRow): boolean {
  const { spec, plan } = draft.get('taskSpecs', task.id);
  if (spec.approval?.plan !== true) return false;
  return plan?.generation !== task.generation || plan.state !== 'approved';
}

function revisionOf(draft: Draft, task: TaskRow): number {
  const { plan } = draft.get('taskSpecs', task.id);
  return plan?.generation === task.generation ? plan.revision + 1 : 1;
}

function putPlan(draft: Draft, taskId: string, plan: TaskPlan): void {
  draft.put('taskSpecs', { ...draft.get('taskSpecs', taskId), plan });
}
