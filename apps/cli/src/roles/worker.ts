import type { Logger } from 'pino';

/** How `baton worker` was told to be; the worker fills in the rest. */
export interface WorkerRoleConfig {
  readonly url: string;
  readonly token?: string;
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly slots: number;
  readonly dataDir: string;
  readonly repos: string[];
  readonly scan: string[];
  readonly languages: string[];
  readonly tools: string[];
  readonly ephemeral: boolean;
  /** `inherit`: agents get this machine's environment; `clean`: an allow-list of it. */
  readonly env: 'inherit' | 'clean';
  readonly batonBin: string;
  readonly version: string;
  readonly processEnv: Readonly<Record<string, string | undefined>>;
}

/** Starts the worker; it is loaded only now, so that other commands start fast. */
export async function startWorkerRole(config: WorkerRoleConfig, log: Logger) {
  const { startWorker } = await import('@baton/worker');
  return startWorker({ config: { ...config, processEnv: { ...config.processEnv } }, log });
}

/** A running worker. */
export type WorkerRole = Awaited<ReturnType<typeof startWorkerRole>>;
