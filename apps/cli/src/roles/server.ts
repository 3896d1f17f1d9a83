import type { Logger } from 'pino';

/** How `baton up` and `baton server` were told to be. */
export interface ServerRoleConfig {
  readonly dataDir: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly publicUrl?: string;
  readonly databaseUrl?: string;
  /** Listen beyond this machine without TLS in front. */
  readonly insecure: boolean;
  readonly unsafeDurability: boolean;
  /** Days that things are kept; absent: as the control plane likes. */
  readonly eventsKeepDays?: number;
  readonly runsKeepDays?: number;
  readonly logsKeepDays?: number;
  /** How large people may make a run; absent: as the control plane likes. */
  readonly tasksPerRunMax?: number;
  readonly dependenciesPerRunMax?: number;
}

/** Starts the control plane; it is loaded only now, so that other commands start fast. */
export async function startServerRole(config: ServerRoleConfig, log: Logger, isKeyLost: boolean) {
  const { startServer } = await loadServer();
  return startServer({ config, log, isKeyLost });
}

/** The control plane's program, with its tools for databases. */
export function loadServer() {
  return import('@baton/server');
}

/** A running control plane. `apiKey` is there when one was made: on the first start of a data directory. */
export type ServerRole = Awaited<ReturnType<typeof startServerRole>>;
