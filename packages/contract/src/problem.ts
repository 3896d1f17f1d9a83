import { z } from 'zod';
import { json } from './json.ts';

/** RFC 9457 problem document with Baton's stable `code`. */
export const problem = z.object({
  type: z.string().default('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().describe('one sentence that names the way out'),
  instance: z.string().optional().describe('id of the request, the same as in the log'),
  retry: z.boolean(),
  facts: z.record(z.string(), json).default({}),
  violations: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('what is wrong with the body, place by place'),
});
export type Problem = z.infer<typeof problem>;
