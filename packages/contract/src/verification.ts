import { z } from 'zod';
import { anyId, contractKey, instant } from './ids.ts';
import { LIMITS } from './limits.ts';

/** How a finished attempt may be checked, in the order in which it is: what is cheap comes first. */
export const VERIFICATION_CHECKS = ['built_in', 'commands', 'judge', 'person'] as const;
export type VerificationCheck = (typeof VERIFICATION_CHECKS)[number];

const glob = z.string().min(1).max(1_000);

/** An agent that judges a result: an ordinary agent task with the role `verifier`. */
export const verificationJudge = z.strictObject({
  engine: z.string().max(64).optional(),
  model: z.string().optional(),
  worker: z.string().optional().describe('name of the only worker that may judge'),
  instructions: z.string().max(LIMITS.specCharsMax).default(''),
});

/** Whose yes a result needs, if a person's. */
export const verificationPerson = z.strictObject({
  question: z.string().max(LIMITS.questionCharsMax).optional(),
  timeout_seconds: z.number().positive().max(31_536_000).optional(),
});

/** What a finished attempt is checked for; every check must accept it. */
export const verificationChecks = z.strictObject({
  commands: z
    .array(z.string().min(1).max(10_000))
    .max(50)
    .default([])
    .describe('each run by `sh -c` in a clean checkout of the result; all must end with 0'),
  outputs: z.array(contractKey).max(100).default([]).describe('contracts that must be fulfilled'),
  artifacts: z
    .array(z.string().min(1).max(300))
    .max(100)
    .default([])
    .describe('names or kinds of artifacts that must be there'),
  changed_paths: z
    .array(glob)
    .max(100)
    .default([])
    .describe('paths or globs of which each must have changed'),
  allowed_paths: z
    .array(glob)
    .max(1_000)
    .optional()
    .describe('paths or globs; nothing else may have changed'),
  judge: verificationJudge.optional(),
  person: z.union([z.boolean(), verificationPerson]).optional(),
});
export type VerificationChecks = z.infer<typeof verificationChecks>;

/**
 * When a task's result counts. Nothing that it hands on is seen by others before it is accepted. A
 * verifier that itself fails is tried again and is never a rejection.
 */
export const verificationPolicy = z
  .strictObject({
    checks: verificationChecks,
    on_reject: z
      .enum(['retry', 'fail', 'ask', 'replan'])
      .default('retry')
      .describe('retry: again with the feedback, in the same conversation'),
    max_retries: z.int().min(0).max(100).default(2).describe('retries after rejections, at most'),
    timeout_seconds: z
      .number()
      .positive()
      .max(86_400)
      .default(1_800)
      .describe('run timeout of one check by commands or by a judge'),
  })
  .refine(
    ({ checks }) =>
      [checks.commands, checks.outputs, checks.artifacts, checks.changed_paths].some(
        (it) => it.length > 0,
      ) ||
      checks.allowed_paths !== undefined ||
      checks.judge !== undefined ||
      (checks.person !== undefined && checks.person !== false),
    'name at least one check',
  );
export type VerificationPolicy = z.infer<typeof verificationPolicy>;

/** What a verification task checks: one attempt of another task, and the commit that it left. */
export const verifies = z.object({
  task: anyId,
  attempt: anyId,
  generation: z.int(),
  commit: z.string().nullable(),
  check: z.enum(['commands', 'judge']),
});
export type Verifies = z.infer<typeof verifies>;

/** Where the check of a task's newest result stands, and the verdict on it. */
export const verificationState = z.object({
  check: z.enum(VERIFICATION_CHECKS).nullable().describe('the check under way, or the last one'),
  by: anyId.nullable().describe('the open verification task or checkpoint'),
  attempt: anyId.describe('the attempt that is judged'),
  commit: z.string().nullable().describe('the commit that is judged'),
  rejections: z.int().nonnegative().describe('of this generation so far'),
  verdict: z.enum(['accepted', 'rejected']).nullable(),
  reason: z.string().nullable(),
  at: instant.nullable(),
});
export type VerificationState = z.infer<typeof verificationState>;
