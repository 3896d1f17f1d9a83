import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_BASE, ID_PREFIXES, type Scope } from '@baton/contract';
import { newId } from '@baton/coordinator';
import type { Db } from '@baton/store';
import { pino } from 'pino';
import type { App } from './app.ts';
import type { ServerConfigInput } from './config.ts';
import { startApp, type RunningServer } from './start.ts';
import { hashToken, newToken } from './tokens/token.ts';

/** What one request is answered with; `body` is parsed JSON, taken for what the test says it is. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

interface Ask {
  /** The owner's key by default; null: none. */
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Member {
  readonly project: string;
  readonly key: string;
}

/** A real control plane on a fresh embedded database, for the tests of this package. */
export interface TestServer {
  readonly app: App;
  readonly running: RunningServer;
  readonly dataDir: string;
  readonly url: string;
  readonly key: string;
  readonly project: string;
  /** Lines of the log, oldest first. */
  readonly logged: readonly string[];
  /** `path` is below `/api/v1`, unless it begins with `//`: `//healthz`. */
  ask<T = Readonly<Record<string, unknown>>>(
    method: string,
    path: string,
    ask?: Ask,
  ): Promise<Answer<T>>;
  /** A second project with the key of its owner. */
  addProject(name: string): Promise<Member>;
  addKey(project: string, scopes: readonly Scope[], expiresInSeconds?: number): Promise<string>;
  addWorker(
    name: string,
    options?: { readonly ownerKey?: string; readonly slots?: number },
  ): Promise<{ readonly id: string; readonly key: string }>;
  stop(): Promise<void>;
}

/** Fresh databases as the test kit makes them; given by the test, because only tests may use the kit. */
type FreshDatabases = () => readonly {
  open(): Promise<{ readonly db: Db; close(): Promise<void> }>;
}[];

export async function startTestServer(
  fresh: FreshDatabases,
  settings: Partial<ServerConfigInput> = {},
): Promise<TestServer> {
  const opened = await fresh()[0]?.open();
  if (opened === undefined) throw new Error('there is no fresh database');
  const dataDir = await mkdtemp(join(tmpdir(), 'baton-server-'));
  const logged: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => logged.push(line) });
  const { app, running } = await startApp({
    config: { dataDir, port: 0, unsafeDurability: true, checkReplies: true, ...settings },
    log,
    openDb: async () => opened.db,
    presence: { silentMs: 3_600_000, offlineMs: 2 * 3_600_000 },
  });
  const { url, apiKey: key = '' } = running;
  const owner = await app.identity.findOwner();

  const ask: TestServer['ask'] = async <T>(method: string, path: string, options: Ask = {}) => {
    const bearer = options.key === undefined ? key : options.key;
    const response = await fetch(url + (path.startsWith('//') ? path.slice(1) : API_BASE + path), {
      method,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : text) as T,
    };
  };

  const addKey: TestServer['addKey'] = async (project, scopes, expiresInSeconds) => {
    const made = newToken('api_key');
    await app.identity.createApiKey({
      id: newId(ID_PREFIXES.apiKey),
      project,
      user: null,
      name: 'test',
      hash: hashToken(made),
      scopes,
      expiresInSeconds: expiresInSeconds ?? null,
    });
    return made;
  };

  return {
    app,
    running,
    dataDir,
    url,
    key,
    project: owner?.projectId ?? '',
    logged,
    ask,
    addKey,
    async addProject(name) {
      const project = newId(ID_PREFIXES.project);
      await app.identity.createOwner({
        projectId: project,
        projectName: name,
        userId: newId(ID_PREFIXES.user),
        userName: `${name}-owner`,
      });
      const scopes = ['read', 'run', 'operate', 'approve', 'admin'] as const;
      return { project, key: await addKey(project, scopes) };
    },
    async addWorker(name, { ownerKey = key, slots = 4 } = {}) {
      const { body: made } = await ask<{ token: string }>('POST', '/worker-tokens', {
        key: ownerKey,
        body: {},
      });
      const { status, body } = await ask<{ id: string; key: string }>('POST', '/workers/register', {
        key: null,
        body: { token: made.token, name, slots, capabilities: { engines: ['shell', 'claude'] } },
      });
      if (status !== 201) throw new Error(`registering failed: ${JSON.stringify(body)}`);
      return body;
    },
    async stop() {
      await running.stop();
      await opened.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
