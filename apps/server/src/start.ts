import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { createCoordinator, createRetention, createSchemaValidator } from '@baton/coordinator';
import { createIdentity, createReads, migrate, type Db } from '@baton/store';
import { getRequestListener } from '@hono/node-server';
import { pino, type Logger } from 'pino';
import { z } from 'zod';
import type { App } from './app.ts';
import { createAuthenticator } from './auth/authenticate.ts';
import { createRevocations } from './auth/revocations.ts';
import { parseServerConfig, type ServerConfig, type ServerConfigInput } from './config.ts';
import { openDatabase } from './database/open-database.ts';
import { checkHost, hostList } from './edge/host-list.ts';
import { securityHeaders } from './edge/headers.ts';
import { createContent } from './instance/blob-content.ts';
import { ensureOwner, makeLoginCode } from './instance/first-start.ts';
import { createProbe } from './instance/probe.ts';
import { startPurging } from './instance/purging.ts';
import { readInstanceSecret } from './instance/secret-file.ts';
import { startLinkServer } from './link/link-server.ts';
import { listen } from './listen.ts';
import { createHandlers } from './routes/handlers.ts';
import { createRouter } from './router.ts';
import { problemFor } from './serve-route.ts';
import { dashboardFiles } from './static/dashboard.ts';
import { referenceFiles } from './static/reference.ts';
import { createEventHub } from './streams/event-hub.ts';
import { instanceKeys } from './tokens/instance-keys.ts';

/** A control plane that runs. */
export interface RunningServer {
  /** Where people and workers reach it. */
  readonly url: string;
  /** Where this machine reaches it, whatever stands in front of it for others. */
  readonly localUrl: string;
  /** Logs one person in, once, within 15 minutes. */
  readonly loginUrl: string;
  /** Key of the owner; only on the first start of a data directory, or when the last one was lost. */
  readonly apiKey: string | undefined;
  /** Ends what is open and stops within 5 s. Idempotent. */
  stop(): Promise<void>;
}

interface Started {
  readonly running: RunningServer;
  readonly app: App;
}

/** Requests that are under way when the server stops have this long. */
const finishMsMax = 2_000;

/** Engines that this version's workers have an adapter for. */
const builtInEngines = ['claude', 'codex', 'shell'] as const;

/**
 * Starts a control plane: database, coordinator, HTTP and the worker link.
 * @throws {AppError} bad_config, insecure_listen, data_dir_in_use, port_in_use, store_unavailable, ...
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  return (await startApp(options)).running;
}

export interface StartOptions {
  readonly config: ServerConfigInput;
  /** Default: lines of JSON on standard error. */
  readonly log?: Logger;
  /** The owner's key is kept nowhere any more: another one is made and told. */
  readonly isKeyLost?: boolean;
  /** Opens the database in place of the configured one: for tests. It is migrated and closed here. */
  readonly openDb?: () => Promise<Db>;
  /** How long workers may be silent: for tests, whose workers send no beats. */
  readonly presence?: { readonly silentMs: number; readonly offlineMs: number };
}

/** The same, with what the handlers work with: for tests of this package. */
export async function startApp(options: StartOptions): Promise<Started> {
  const config = parseServerConfig(options.config);
  const log =
    options.log ??
    pino({ level: 'info', serializers: { error: pino.stdSerializers.err } }, pino.destination(2));
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    // What was opened last is closed first.
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    const db = await (options.openDb?.() ??
      openDatabase(config, { role: 'server', port: config.port }));
    closers.push(() => db.close());
    await migrate(db);
    return await startOn(db, config, log, closers, closeAll, options);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function startOn(
  db: Db,
  config: ServerConfig,
  log: Logger,
  closers: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
  { isKeyLost = false, presence }: StartOptions,
): Promise<Started> {
  const identity = createIdentity(db);
  const reads = createReads(db);
  const keys = instanceKeys(await readInstanceSecret(config.dataDir));
  const runSize = {
    tasksMax: config.tasksPerRunMax,
    dependenciesMax: config.dependenciesPerRunMax,
  };
  const coordinator = createCoordinator({
    db,
    log,
    engines: builtInEngines,
    instance: keys.name,
    runSize,
    ...presence,
  });
  await coordinator.start();
  closers.push(() => coordinator.stop());
  const content = createContent(join(config.dataDir, 'blobs'));
  const retention = createRetention({
    db,
    log,
    submit: (command) => coordinator.submit(command),
    keep: {
      eventsDays: config.eventsKeepDays,
      runsDays: config.runsKeepDays,
      logsDays: config.logsKeepDays,
    },
  });
  await retention.start(new AbortController().signal);
  closers.push(() => retention.stop());
  const validator = createSchemaValidator();
  closers.push(() => validator.close());

  const stopping = new AbortController();
  let answer: Listener = refuseEarly;
  const { server, port } = await listen(config, (request, response) => answer(request, response));
  closers.push(() => closeServer(server));
  // Not before the port is taken: the key of a start that fails would be lost.
  const { owner, apiKey } = await ensureOwner(identity, isKeyLost);
  const localUrl = `http://${nameOf(config.host)}:${port}`;
  const url = config.publicUrl?.replace(/\/$/, '') ?? localUrl;

  const app: App = {
    log,
    dataDir: config.dataDir,
    db,
    coordinator,
    reads,
    identity,
    validator,
    keys,
    content,
    authenticator: createAuthenticator({ identity, reads, keys }),
    revocations: createRevocations(coordinator),
    events: createEventHub(coordinator, reads),
    url,
    hosts: hostList(port, config.publicUrl, config.host),
    version: readVersion(),
    engines: builtInEngines,
    runSize,
    checkReplies: config.checkReplies,
    probe: createProbe(db),
    stopping: stopping.signal,
  };
  app.events.neverKeep(await reads.listMarkedForPurge());
  const purging = await startPurging({ db, log, content, coordinator, events: app.events });
  closers.push(purging.stop);
  answer = listenerOf(app, config);
  const links = startLinkServer(app, server);
  closers.push(() => links.stop());
  closers.push(async () => stopping.abort());

  const loginUrl = `${url}/login#${await makeLoginCode(identity, owner)}`;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= closeAll());
  return { app, running: { url, localUrl, loginUrl, apiKey, stop } };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function listenerOf(app: App, config: ServerConfig): Listener {
  const reference = referenceFiles();
  const dashboard = dashboardFiles(config.dashboardDir);
  const router = createRouter(
    app,
    createHandlers(app),
    async (path) => (await reference(path)) ?? (await dashboard(path)),
  );
  const serve = getRequestListener(router.fetch, {
    hostname: config.host,
    overrideGlobalObjects: false,
  });
  return (request, response) => {
    try {
      checkTarget(app, request);
    } catch (error) {
      void sendRefusal(problemFor(app, error, 'host', 'host'), request, response);
      return;
    }
    void serve(request, response);
  };
}

/**
 * The name and form under which we were asked, before anything else looks at the request.
 * @throws {AppError} foreign_host, bad_request
 */
function checkTarget(app: App, request: IncomingMessage): void {
  const named = request.rawHeaders.filter(
    (header, index) => index % 2 === 0 && header.toLowerCase() === 'host',
  );
  if (named.length > 1) throw new AppError('bad_request', 'Send one Host header.');
  checkHost(app.hosts, request.headers.host);
  if (request.url?.startsWith('/') !== true || request.url.startsWith('//')) {
    throw new AppError('bad_request', 'Ask for a path that begins with one slash.');
  }
}

async function sendRefusal(
  problem: Response,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await problem.text();
  response.writeHead(problem.status, {
    ...Object.fromEntries(problem.headers),
    ...securityHeaders('data', false),
    connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Between listening and being ready: the port is known a little before everything hangs together. */
function refuseEarly(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, { 'retry-after': '1', connection: 'close' });
  response.end();
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), finishMsMax);
  await closed;
  clearTimeout(late);
}

/** The listening address as the host of a URL. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function readVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('../package.json');
  return z.object({ version: z.string() }).parse(manifest).version;
}
