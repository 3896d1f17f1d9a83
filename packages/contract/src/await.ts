import { z } from 'zod';
import { anyId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { task } from './task.ts';

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
