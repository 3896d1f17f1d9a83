import { z } from 'zod';
import { anyId, instant, taskKey } from './ids.ts';
import {
  ATTEMPT_STATUSES,
  CHECKPOINT_KINDS,
  CHECKPOINT_STATUSES,
  FAILURE_CLASSES,
  TASK_KINDS,
  TASK_STATUSES,
} from './statuses.ts';

const span = { from: instant, to: instant.nullable().describe('null: still so') };

/** One attempt on the timeline: claimed, then preparing until its agent started, then at work. */
const timelineAttempt = z.object({
  attempt: anyId,
  task: anyId,
  key: taskKey,
  number: z.int(),
  generation: z.int(),
  worker: anyId,
  worker_name: z.string(),
  engine: z.string(),
  status: z.enum(ATTEMPT_STATUSES),
  failure_class: z.enum(FAILURE_CLASSES).nullable(),
  claimed_at: instant,
  started_at: instant.nullable(),
  ended_at: instant.nullable(),
});

/** Answer of `GET /runs/{id}/timeline`. Lanes run in parallel; what is in one lane does not overlap. */
export const timeline = z.object({
  run: anyId,
  ...span,
  lanes: z.array(
    z.object({
      id: z.string().describe('the task, or the worker and its slot'),
      title: z.string(),
      task: z
        .object({
          id: anyId,
          key: taskKey,
          kind: z.enum(TASK_KINDS),
          status: z.enum(TASK_STATUSES),
          parent_task: anyId.nullable(),
          created_at: instant,
          ready_at: instant.nullable(),
          ended_at: instant.nullable(),
        })
        .nullable(),
      attempts: z.array(timelineAttempt),
    }),
  ),
  checkpoints: z.array(
    z.object({
      id: anyId,
      task: anyId.nullable(),
      kind: z.enum(CHECKPOINT_KINDS),
      status: z.enum(CHECKPOINT_STATUSES),
      question: z.string(),
      opened_at: instant,
      closed_at: instant.nullable(),
    }),
  ),
  idle: z
    .array(z.object(span))
    .describe('times in which no attempt of the run was at work, worth compressing'),
});
export type Timeline = z.infer<typeof timeline>;
