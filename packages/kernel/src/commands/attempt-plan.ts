import type { AttemptPlan } from '@baton/contract';
import { fence } from '../attempt/fence.ts';
import { questionOfPlan, submitPlan } from '../checkpoint/plan-approval.ts';
import { ask } from './attempt-checkpoint.ts';
import type { Handler } from './handler.ts';

/** The agent hands in its plan and waits for a person's word on it. */
export const attemptPlan: Handler<'attempt.plan'> = (draft, command) => {
  const attempt = fence(draft, command);
  if ('refused' in attempt) return attempt;
  const { body } = command;
  return ask(draft, attempt, body.client_id, (task) => ({
    asked: questionOfPlan(draft, task, planOf(body)),
    opened: (checkpoint) => submitPlan(draft, task, body.plan, checkpoint),
  }));
};

function planOf(body: AttemptPlan) {
  return {
    plan: body.plan,
    resume: body.resume,
    timeoutSeconds: body.timeout_seconds,
    clientId: body.client_id,
  };
}
