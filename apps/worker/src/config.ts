import { workerName } from '@baton/contract';
import { z } from 'zod';

/** How a worker was told to be. Made by the command line; checked and frozen here. */
export const workerConfig = z.strictObject({
  /** Control plane, such as `http://127.0.0.1:4664`. */
  url: z.url(),
  /** Join token; needed only until the worker has its own key. */
  token: z.string().optional(),
  name: workerName,
  labels: z.record(z.string(), z.string()).default({}),
  slots: z.int().min(1).max(1_000),
  dataDir: z.string().min(1),
  /** `name` or `name=path`. */
  repos: z.array(z.string()).default([]),
  /** Folders in which to look for repositories. */
  scan: z.array(z.string()).default([]),
  languages: z.array(z.string()).default([]),
  tools: z.array(z.string()).default([]),
  ephemeral: z.boolean().default(false),
  /** `inherit`: agents get this process's environment; `clean`: an allow-list of it. */
  env: z.enum(['inherit', 'clean']).default('clean'),
  /** JavaScript file of the `baton` command, put first on the agents' PATH. */
  batonBin: z.string().optional(),
  /** No new work while less memory than this is free; 0: never mind. Default: a twentieth of all, at most 1 GiB. */
  freeMemoryBytesMin: z.int().min(0).optional(),
  /** Supervisors kept warm; 0 starts one per task. */
  warmSupervisors: z.int().min(0).max(64).default(2),
  version: z.string().default('0.1.0'),
  /** This process's environment: what agents may inherit, and where programs are looked for. */
  processEnv: z.record(z.string(), z.string().optional()),
});
export type WorkerConfig = Readonly<z.infer<typeof workerConfig>>;
export type WorkerConfigInput = z.input<typeof workerConfig>;
