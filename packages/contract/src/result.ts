import { z } from 'zod';
import { contractKey } from './ids.ts';
import { json } from './json.ts';

/** How an agent says its work ended. */
export const RESULT_STATUSES = ['success', 'partial', 'failed', 'blocked'] as const;

/** What changed in the repository. File names are relative to its root. */
export const changes = z.object({
  files_modified: z.array(z.string()).default([]),
  files_created: z.array(z.string()).default([]),
  files_deleted: z.array(z.string()).default([]),
  insertions: z.int().nonnegative().default(0),
  deletions: z.int().nonnegative().default(0),
  files_omitted: z
    .int()
    .positive()
    .optional()
    .describe('names that did not fit; the patch has all'),
});
export type Changes = z.infer<typeof changes>;

/** The commit that holds a task's work, and where it was made. */
export const commitRef = z.object({
  repo: z.string().describe('normalised URL or path of the repository'),
  base: z.string().describe('commit the work started from'),
  commit: z.string().describe('commit that holds the work; equals `base` when nothing changed'),
  branch: z.string().optional(),
  delivered: z.string().optional().describe('where the commit was delivered, in words'),
});
export type CommitRef = z.infer<typeof commitRef>;

/** `baton/task-result/v1`: only `status` and `summary` are required; `summary` may be empty. */
export const taskResult = z.object({
  schema: z.literal('baton/task-result/v1').optional(),
  status: z.enum(RESULT_STATUSES),
  summary: z.string().max(20_000),
  changes: changes.optional(),
  contracts: z.record(contractKey, json).optional(),
  tests: z
    .object({
      passed: z.int().nonnegative(),
      failed: z.int().nonnegative(),
      skipped: z.int().nonnegative().default(0),
    })
    .optional(),
  artifacts: z.array(z.string()).optional(),
  follow_up: z.string().optional(),
  confidence: z.number().min(0).max(1).optional(),
  commit: commitRef.optional(),
  missing_files: z.array(z.string()).optional().describe('cited by the agent but not there'),
  synthesized: z.boolean().optional().describe('made from output and exit code, not by the agent'),
});
export type TaskResult = z.infer<typeof taskResult>;

/** Tokens and money of one attempt. `usd` is a decimal string; absent when unknown. */
export const usage = z.object({
  input_tokens: z.int().nonnegative().default(0),
  output_tokens: z.int().nonnegative().default(0),
  cache_read_tokens: z.int().nonnegative().default(0),
  cache_write_tokens: z.int().nonnegative().default(0),
  usd: z.string().optional(),
  by_model: z.record(z.string(), json).optional(),
});
export type Usage = z.infer<typeof usage>;
