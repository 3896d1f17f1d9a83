import { join } from 'node:path';
import { DEFAULTS } from '@baton/contract';
import { findClientFile, writeClientFile } from '../client-file.ts';
import type { Context } from '../context.ts';
import { given } from '../given.ts';
import { fileLog, stderrLog } from '../log.ts';
import { flag, text } from '../option.ts';
import { startServerRole, type ServerRole } from './server.ts';

/** Flags of `baton up` and `baton server` alike. */
export const serverOptions = {
  host: text('--host <address>', `address to listen on (BATON_HOST); default: ${DEFAULTS.host}`),
  port: text(
    '--port <port>',
    `port to listen on, 0 for any free one (BATON_PORT); default: ${DEFAULTS.port}`,
  ),
  publicUrl: text('--public-url <url>', 'address under which others reach it (BATON_PUBLIC_URL)'),
  databaseUrl: text(
    '--database-url <url>',
    'PostgreSQL to use in place of the embedded one (DATABASE_URL)',
  ),
  insecure: flag('--insecure', 'listen beyond this machine without TLS in front'),
  unsafeDurability: flag(
    '--unsafe-durability',
    'accept a database that may lose acknowledged commits',
  ),
};

export interface ServerFlags {
  readonly insecure: boolean;
  readonly unsafeDurability: boolean;
}

/** Where the control plane of `baton up` writes its log. */
export function serverLogPath(dataDir: string): string {
  return join(dataDir, 'logs', 'server.log');
}

/**
 * Starts the control plane and leaves its address and key in `client.json`. The key is made on the
 * first start of a data directory and kept there from then on; when it is lost, a new one is made.
 */
export async function openControlPlane(
  { config }: Pick<Context, 'config'>,
  flags: ServerFlags,
  logTo: 'file' | 'stderr',
): Promise<ServerRole> {
  const { dataDir, host, port, publicUrl, databaseUrl, logLevel } = config;
  const { eventsKeepDays, runsKeepDays, logsKeepDays } = config;
  const { tasksPerRunMax, dependenciesPerRunMax } = config;
  const log = logTo === 'file' ? fileLog(serverLogPath(dataDir), logLevel) : stderrLog(logLevel);
  const known = findClientFile(dataDir)?.key;
  const server = await startServerRole(
    {
      dataDir,
      host,
      port,
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      ...given({ eventsKeepDays, runsKeepDays, logsKeepDays }),
      ...given({ tasksPerRunMax, dependenciesPerRunMax }),
      insecure: flags.insecure,
      unsafeDurability: flags.unsafeDurability,
    },
    log,
    // Who may start on an embedded database owns it. Others of a shared one have the key elsewhere.
    databaseUrl === undefined && known === undefined,
  );
  const key = server.apiKey ?? known;
  writeClientFile(dataDir, { url: server.localUrl, ...(key === undefined ? {} : { key }) });
  return server;
}

/** The one line for scripts; the key stands in it on the first start only. */
export function readyLine(server: ServerRole): Readonly<Record<string, string>> {
  return {
    url: server.url,
    login_url: server.loginUrl,
    ...(server.apiKey === undefined ? {} : { api_key: server.apiKey }),
  };
}
