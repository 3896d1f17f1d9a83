import { z } from 'zod';
import { anyId, contractKey, instant, taskKey } from './ids.ts';
import { DEFAULTS, LIMITS } from './limits.ts';
import { commitRef, RESULT_STATUSES } from './result.ts';
import { FAILURE_CLASSES, TASK_STATUSES } from './statuses.ts';
import { task, taskCreate } from './task.ts';

/** When a wait for several tasks is over: all of them ended, one, or as many as `quorum` says. */
export const AWAIT_POLICIES = ['all', 'any', 'quorum'] as const;
export type AwaitPolicy = (typeof AWAIT_POLICIES)[number];

/** How many of `count` tasks must have ended. A quorum beyond their number is all of them. */
export function neededEnds(
  policy: AwaitPolicy,
  quorum: number | null | undefined,
  count: number,
): number {
  switch (policy) {
    case 'all':
      return count;
    case 'any':
      return Math.min(1, count);
    case 'quorum':
      return Math.min(quorum ?? count, count);
  }
}

const joinRule = {
  policy: z.enum(AWAIT_POLICIES).default('all'),
  quorum: z.int().min(1).max(LIMITS.awaitedTasksMax).optional(),
};

/** A quorum needs its number, and only a quorum has one. */
function hasFittingQuorum(it: {
  readonly policy: AwaitPolicy;
  readonly quorum?: number | undefined;
}) {
  return (it.policy === 'quorum') === (it.quorum !== undefined);
}
const quorumFault = {
  message: 'quorum is given with policy quorum, and only with it',
  path: ['quorum'],
};

/** Body of `POST /tasks/wait`. `timeout` in seconds; 0 only looks. */
export const taskWait = z
  .strictObject({
    ids: z.array(anyId).min(1).max(LIMITS.awaitedTasksMax),
    ...joinRule,
    timeout: z.number().min(0).max(LIMITS.waitSecondsMax).default(30),
  })
  .refine(hasFittingQuorum, quorumFault);
export type TaskWait = z.infer<typeof taskWait>;

/** What the tasks are when a wait is over, whether it was met or its time was up. In the order asked. */
export const taskWaitReply = z.object({
  met: z.boolean(),
  needed: z.int().describe('ends that were waited for'),
  ended: z.int().describe('tasks that have ended'),
  tasks: z.array(task),
});
export type TaskWaitReply = z.infer<typeof taskWaitReply>;

/** A task that an agent hands on; over HTTP it is `POST /tasks` with the attempt's token. */
export const attemptSpawn = z.strictObject({
  epoch: z.int().nonnegative(),
  request: z.string().min(1).max(128).describe('a repeated one makes nothing new'),
  task: taskCreate,
});
export type AttemptSpawn = z.infer<typeof attemptSpawn>;

/**
 * Body of `POST /attempts/{id}/await`: the agent ends its turn, and is resumed with what these children
 * came to. No ids: all children of its task that have not ended.
 */
export const attemptAwait = z
  .strictObject({
    epoch: z.int().nonnegative(),
    ids: z.array(anyId).max(LIMITS.awaitedTasksMax).default([]),
    ...joinRule,
    timeout: z
      .number()
      .min(0)
      .max(LIMITS.awaitSecondsMax)
      .default(DEFAULTS.awaitSeconds)
      .describe('seconds; then what has arrived is delivered, marked partial'),
  })
  .refine(hasFittingQuorum, quorumFault);
export type AttemptAwait = z.infer<typeof attemptAwait>;

/** What a task came to, for the agent that waited for it. `status` says whether it has ended at all. */
export const awaitResult = z.object({
  task: anyId,
  key: taskKey,
  title: z.string(),
  status: z.enum(TASK_STATUSES),
  result: z.enum(RESULT_STATUSES).nullable().describe("the agent's own word on it"),
  summary: z.string().describe('of its conclusion; cut when many are delivered at once'),
  failure_class: z.enum(FAILURE_CLASSES).nullable(),
  reason: z.string().nullable(),
  outputs: z.array(contractKey).describe('contracts it fulfilled; read them with the task'),
  commit: commitRef.nullable(),
});
export type AwaitResult = z.infer<typeof awaitResult>;

export const AWAIT_STATUSES = ['open', 'met', 'expired', 'cancelled', 'replaced'] as const;
export type AwaitStatus = (typeof AWAIT_STATUSES)[number];

/** An agent's wait for its children. It survives restarts of all programs. */
export const taskAwait = z.object({
  id: anyId,
  task: anyId,
  attempt: anyId,
  tasks: z.array(anyId),
  policy: z.enum(AWAIT_POLICIES),
  quorum: z.int().nullable(),
  needed: z.int(),
  status: z.enum(AWAIT_STATUSES),
  partial: z.boolean().describe('delivered before as many had ended as were asked for'),
  deadline_at: instant,
  results: z.array(awaitResult).describe('what was delivered; empty while it is open'),
  opened_at: instant,
  closed_at: instant.nullable(),
});
export type TaskAwait = z.infer<typeof taskAwait>;

/** Answer to an agent. `yield`: it must end its turn now, and is resumed with the results. */
export const attemptAwaitReply = z.object({
  await: taskAwait.nullable().describe('null when it was met at once'),
  yield: z.boolean(),
  met: z.boolean(),
  results: z.array(awaitResult),
});
export type AttemptAwaitReply = z.infer<typeof attemptAwaitReply>;
