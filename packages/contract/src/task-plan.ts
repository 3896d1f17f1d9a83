import { z } from 'zod';
import { instant } from './ids.ts';

/** The plan that a task's agent handed in, and what was said to it. */
export const taskPlan = z.object({
  text: z.string(),
  state: z.enum(['submitted', 'approved', 'revised']),
  revision: z.int().positive().describe('1 for the first plan of a generation'),
  generation: z.int(),
  feedback: z.string().nullable(),
  by: z.string().nullable(),
  submitted_at: instant,
  decided_at: instant.nullable(),
});
export type TaskPlan = z.infer<typeof taskPlan>;
