import { z } from 'zod';
import { anyId, instant } from './ids.ts';
import { WORKER_STATUSES } from './statuses.ts';

/** Whether an engine can log in. A bare engine name counts as authenticated; `unknown` too. */
export const engineCapability = z.object({
  name: z.string().min(1).max(64),
  version: z.string().optional(),
  auth: z.enum(['ok', 'missing', 'unknown']).default('unknown'),
  path: z.string().optional(),
  account: z
    .string()
    .max(200)
    .optional()
    .describe('who it is logged in as; a limit met by one worker holds for all of that account'),
});
export type EngineCapability = z.infer<typeof engineCapability>;

/** A repository that a worker has on its disk. */
export const repoCapability = z.object({
  name: z.string().min(1),
  path: z.string().optional(),
  url: z.string().optional(),
  default_branch: z.string().optional(),
});
export type RepoCapability = z.infer<typeof repoCapability>;

/** What a worker can do. Names alone are taken for engines and repos. */
export const capabilities = z.object({
  engines: z
    .array(z.preprocess((it) => (typeof it === 'string' ? { name: it } : it), engineCapability))
    .default([]),
  repos: z
    .array(z.preprocess((it) => (typeof it === 'string' ? { name: it } : it), repoCapability))
    .default([]),
  languages: z.array(z.string()).default([]),
  tools: z.array(z.string()).default([]),
  environments: z.array(z.string()).default([]),
  cpu: z.number().optional().describe('logical cores'),
  memory_bytes: z.number().optional(),
  disk_free_bytes: z.number().optional(),
});
export type Capabilities = z.infer<typeof capabilities>;

/** A machine of the fleet as clients see it. */
export const worker = z.object({
  id: anyId,
  project: anyId,
  name: z.string(),
  status: z.enum(WORKER_STATUSES),
  labels: z.record(z.string(), z.string()),
  capabilities,
  slots: z.int(),
  slots_used: z.int(),
  draining: z.boolean(),
  ephemeral: z.boolean(),
  version: z.string().nullable(),
  attempts: z.array(anyId),
  registered_at: instant,
  last_seen_at: instant.nullable(),
});
export type Worker = z.infer<typeof worker>;

export const workerName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'must be 1 to 63 of letters, digits, ".", "_" or "-"',
  );

/** Body of `POST /workers/register`. The token is a join token (or the worker's own key, on a restart). */
export const workerRegister = z.strictObject({
  token: z.string(),
  name: workerName,
  machine_id: z.string().max(128).optional(),
  slots: z.int().min(1).max(10_000).default(1),
  labels: z.record(z.string(), z.string()).default({}),
  capabilities: capabilities.prefault({}),
  ephemeral: z.boolean().default(false),
  version: z.string().max(64).optional(),
});
export type WorkerRegister = z.infer<typeof workerRegister>;
export type WorkerRegisterInput = z.input<typeof workerRegister>;

/** Body of `POST /worker-tokens`. */
export const workerTokenCreate = z.strictObject({
  name: workerName.optional().describe('the only worker name the token may register'),
  labels: z.record(z.string(), z.string()).default({}),
  max_uses: z.int().min(1).max(10_000).default(1),
  ephemeral: z.boolean().default(false),
  expires_in: z.int().min(60).max(31_536_000).optional().describe('seconds'),
});
export type WorkerTokenCreate = z.infer<typeof workerTokenCreate>;

/** Answer of `POST /worker-tokens`; the token is shown this once. */
export const workerToken = z.object({
  id: anyId,
  token: z.string(),
  expires_at: instant,
  install: z.string().describe('one command that starts a worker with it'),
});
export type WorkerToken = z.infer<typeof workerToken>;

/** Answer of `GET /fleet`: is there somebody for the work that waits? */
export const fleet = z.object({
  workers: z.record(z.enum(WORKER_STATUSES), z.int()),
  slots: z.object({ total: z.int(), used: z.int(), free: z.int() }),
  engines: z.array(z.object({ name: z.string(), workers: z.int(), authenticated: z.int() })),
  repos: z.array(z.object({ name: z.string(), workers: z.int() })),
  languages: z.array(z.object({ name: z.string(), workers: z.int() })),
  uncovered: z.array(
    z.object({ need: z.string(), tasks: z.int().describe('ready tasks nobody online can take') }),
  ),
});
export type Fleet = z.infer<typeof fleet>;
