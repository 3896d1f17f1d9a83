import { z } from 'zod';
import { contractKey } from './ids.ts';
import { json } from './json.ts';
import { RESULT_STATUSES, taskResult } from './result.ts';

/** What an agent says at the end of its work; written by it, or made from output and exit code. */
export const conclusion = z.strictObject({
  status: z.enum(RESULT_STATUSES),
  summary: z.string().max(20_000),
  outputs: z.record(contractKey, json).describe('declared contracts by key').default({}),
  tests: taskResult.shape.tests,
  follow_up: z.string().max(20_000).optional(),
  confidence: z.number().min(0).max(1).optional(),
  files: z.array(z.string()).max(500).describe('paths the agent cites').default([]),
  synthesized: z.boolean().describe('the agent wrote none').default(false),
  warnings: z.array(z.string()).max(50).describe('what had to be repaired or left out').default([]),
});
export type Conclusion = z.infer<typeof conclusion>;
