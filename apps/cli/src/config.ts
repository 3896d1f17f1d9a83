import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { AppError, DEFAULTS, LIMITS } from '@baton/contract';
import { z } from 'zod';
import { findClientFile } from './client-file.ts';

/** Where a setting comes from, first one wins: flag, environment, `client.json`, default. */
export interface ConfigFlags {
  readonly dataDir?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly slots?: string | undefined;
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly token?: string | undefined;
  readonly project?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly publicUrl?: string | undefined;
}

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an address such as http://127.0.0.1:4664' })
  .transform((url) => url.replace(/\/+$/, ''));
const number = (name: string, min: number, max: number) =>
  z.coerce
    .number({ error: `${name} must be a number from ${min} to ${max}` })
    .int({ error: `${name} must be a whole number` })
    .min(min, { error: `${name} must be at least ${min}` })
    .max(max, { error: `${name} must be at most ${max}` });

const days = z.coerce
  .number({ error: 'must be a number of days' })
  .positive({ error: 'must be more than 0 days' });

const settings = z.object({
  dataDir: z.string().min(1).describe('--data-dir, BATON_DATA_DIR'),
  host: z.string().min(1).default(DEFAULTS.host).describe('--host, BATON_HOST'),
  port: number('the port', 0, 65_535).default(DEFAULTS.port).describe('--port, BATON_PORT'),
  slots: number('slots', 1, 10_000).optional().describe('--slots, BATON_SLOTS'),
  url: httpUrl.optional().describe('--url, BATON_URL'),
  publicUrl: httpUrl.optional().describe('--public-url, BATON_PUBLIC_URL'),
  apiKey: z.string().min(1).optional().describe('--api-key, BATON_API_KEY'),
  attemptToken: z.string().min(1).optional().describe('BATON_TOKEN'),
  joinToken: z.string().min(1).optional().describe('--token, BATON_JOIN_TOKEN'),
  project: z.string().min(1).optional().describe('--project, BATON_PROJECT'),
  databaseUrl: z
    .string()
    // Not a URL by the web's rules: a Unix socket is named with an empty host.
    .regex(/^postgres(?:ql)?:\/\//, 'must begin with postgres://')
    .optional()
    .describe('--database-url, DATABASE_URL'),
  eventsKeepDays: days.optional().describe('BATON_EVENTS_KEEP_DAYS'),
  runsKeepDays: days.optional().describe('BATON_RUNS_KEEP_DAYS'),
  logsKeepDays: days.optional().describe('BATON_LOGS_KEEP_DAYS'),
  tasksPerRunMax: number('tasks of a run', 1, LIMITS.tasksPerRunSettingMax)
    .optional()
    .describe('BATON_TASKS_PER_RUN_MAX'),
  dependenciesPerRunMax: number('dependencies of a run', 1, LIMITS.dependenciesPerRunSettingMax)
    .optional()
    .describe('BATON_DEPENDENCIES_PER_RUN_MAX'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('BATON_LOG_LEVEL'),
  socket: z.string().min(1).optional().describe('BATON_SOCKET'),
  requestsDir: z.string().min(1).optional().describe('BATON_REQUESTS'),
  answersDir: z.string().min(1).optional().describe('BATON_ANSWERS'),
  attemptId: z.string().min(1).optional().describe('BATON_ATTEMPT_ID'),
  epoch: z.coerce.number().int().nonnegative().optional().describe('BATON_EPOCH'),
});

/** The whole configuration, read once and passed down; frozen. */
export type Config = Readonly<z.output<typeof settings>> & {
  /** Where commands go, and with what; see `clientTarget`. */
  readonly target: ClientTarget;
  readonly hasColor: boolean;
  /** PATH of the program, to tell whether `baton` is on it. */
  readonly path: string;
};

/** A control plane and the credential for it. `token` is undefined where none is known. */
export interface ClientTarget {
  readonly url: string;
  readonly token: string | undefined;
}

/** The variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** @throws AppError bad_config that names every fault at once. */
export function readConfig(env: Env, flags: ConfigFlags = {}): Config {
  const raw = {
    dataDir: flags.dataDir ?? env['BATON_DATA_DIR'] ?? defaultDataDir(env),
    host: flags.host ?? env['BATON_HOST'],
    port: flags.port ?? env['BATON_PORT'],
    slots: flags.slots ?? env['BATON_SLOTS'],
    url: flags.url ?? env['BATON_URL'],
    publicUrl: flags.publicUrl ?? env['BATON_PUBLIC_URL'],
    apiKey: flags.apiKey ?? env['BATON_API_KEY'],
    attemptToken: env['BATON_TOKEN'],
    joinToken: flags.token ?? env['BATON_JOIN_TOKEN'],
    project: flags.project ?? env['BATON_PROJECT'],
    databaseUrl: flags.databaseUrl ?? env['DATABASE_URL'],
    eventsKeepDays: env['BATON_EVENTS_KEEP_DAYS'],
    runsKeepDays: env['BATON_RUNS_KEEP_DAYS'],
    logsKeepDays: env['BATON_LOGS_KEEP_DAYS'],
    tasksPerRunMax: env['BATON_TASKS_PER_RUN_MAX'],
    dependenciesPerRunMax: env['BATON_DEPENDENCIES_PER_RUN_MAX'],
    logLevel: env['BATON_LOG_LEVEL'],
    socket: env['BATON_SOCKET'],
    requestsDir: env['BATON_REQUESTS'],
    answersDir: env['BATON_ANSWERS'],
    attemptId: env['BATON_ATTEMPT_ID'],
    epoch: env['BATON_EPOCH'],
  };
  // An empty variable is one that is not set.
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  if (!parsed.success) throw badConfig(parsed.error);
  const config = { ...parsed.data, dataDir: resolve(parsed.data.dataDir) };
  return Object.freeze({
    ...config,
    target: clientTarget(config),
    hasColor: !isSet(env['NO_COLOR']) && env['TERM'] !== 'dumb',
    path: env['PATH'] ?? '',
  });
}

/**
 * The address and the key that belong together: the key in `client.json` is sent only to the address
 * that stands beside it, and never in place of an attempt's own token.
 */
function clientTarget(config: z.output<typeof settings>): ClientTarget {
  const token = config.apiKey ?? config.attemptToken;
  if (config.url !== undefined && token !== undefined) return { url: config.url, token };
  const file = findClientFile(config.dataDir);
  const url = config.url ?? file?.url ?? `http://${DEFAULTS.host}:${DEFAULTS.port}`;
  const fileToken = file !== undefined && sameUrl(file.url, url) ? file.key : undefined;
  return { url, token: token ?? fileToken };
}

function sameUrl(one: string, other: string): boolean {
  return one.replace(/\/+$/, '') === other.replace(/\/+$/, '');
}

function defaultDataDir(env: Env): string {
  const home = isSet(env['HOME']) ? (env['HOME'] ?? '') : homedir();
  const shared = env['XDG_DATA_HOME'];
  const base = shared !== undefined && isAbsolute(shared) ? shared : join(home, '.local', 'share');
  return join(base, 'baton');
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function badConfig(error: z.ZodError): AppError {
  const faults = error.issues.map(({ path, message }) => {
    const name = String(path[0] ?? '');
    const field = Object.entries(settings.shape).find(([key]) => key === name)?.[1];
    return `${field?.description ?? name}: ${message}`;
  });
  return new AppError('bad_config', `The configuration has faults. ${faults.join('. ')}.`, {
    detail: { faults },
  });
}
