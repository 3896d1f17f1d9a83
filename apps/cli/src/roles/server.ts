import { AppError } from '@baton/contract';
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
  readonly version: string;
}

/** A running control plane. `apiKey` is there on the first start of a data directory only. */
export interface ServerRole {
  readonly url: string;
  readonly loginUrl: string;
  readonly apiKey?: string | undefined;
  stop(): Promise<void>;
}

type StartServer = (given: {
  readonly config: ServerRoleConfig;
  readonly log: Logger;
}) => Promise<ServerRole>;

/** Starts the control plane; it is loaded only now, so that other commands start fast. */
export async function startServerRole(config: ServerRoleConfig, log: Logger): Promise<ServerRole> {
  const server: { readonly startServer?: StartServer } = await import('@baton/server');
  if (server.startServer === undefined) {
    throw new AppError('internal', 'This build has no control plane.');
  }
  return server.startServer({ config, log });
}
