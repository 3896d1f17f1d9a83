import { AppError, DEFAULTS, LIMITS } from '@baton/contract';
import { z } from 'zod';
import { builtDashboard } from './static/dashboard.ts';

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

/** How a control plane is started. Flags and environment are read by whoever starts it. */
export const serverConfig = z.strictObject({
  dataDir: z
    .string()
    .min(1)
    .describe(
      'directory of the database, blobs and the instance secret; made when it is not there',
    ),
  databaseUrl: z
    .string()
    .regex(/^postgres(?:ql)?:\/\//, 'must begin with postgres://')
    .optional()
    .describe('PostgreSQL to use instead of the embedded database'),
  host: z.string().min(1).default(DEFAULTS.host).describe('address to listen on'),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(DEFAULTS.port)
    .describe('port to listen on; 0: any free one'),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('address under which people and workers reach this server, when it is another one'),
  insecure: z
    .boolean()
    .default(false)
    .describe('allows listening beyond this machine without TLS, where all traffic can be read'),
  unsafeDurability: z
    .boolean()
    .default(false)
    .describe('allows a database that may lose acknowledged work when the power fails'),
  eventsKeepDays: z
    .number()
    .positive()
    .default(30)
    .describe('days that the history is kept; what a consumer has not read stays'),
  runsKeepDays: z
    .number()
    .positive()
    .optional()
    .describe('days after which ended runs are purged; for ever by default'),
  logsKeepDays: z
    .number()
    .positive()
    .optional()
    .describe('days after which the output of ended runs goes; as long as the run by default'),
  tasksPerRunMax: z
    .int()
    .min(1)
    .max(LIMITS.tasksPerRunSettingMax)
    .default(LIMITS.tasksPerRunMax)
    .describe('tasks that a run may have; what models may add is limited further'),
  dependenciesPerRunMax: z
    .int()
    .min(1)
    .max(LIMITS.dependenciesPerRunSettingMax)
    .default(LIMITS.dependenciesPerRunMax)
    .describe('dependencies that a run may have'),
  dashboardDir: z.string().default(builtDashboard).describe('built files of the dashboard'),
  checkReplies: z
    .boolean()
    .default(false)
    .describe('checks each reply against its schema; for tests'),
});
export type ServerConfig = z.output<typeof serverConfig>;
export type ServerConfigInput = z.input<typeof serverConfig>;

/**
 * The settings with their defaults. All faults are told at once.
 * @throws {AppError} bad_config, insecure_listen
 */
export function parseServerConfig(input: ServerConfigInput): Readonly<ServerConfig> {
  const parsed = serverConfig.safeParse(input);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new AppError('bad_config', `The server's settings are wrong: ${faults.join('; ')}.`);
  }
  const config = Object.freeze(parsed.data);
  if (!loopback.has(config.host) && !config.insecure) {
    throw new AppError(
      'insecure_listen',
      `Listening on ${config.host} without TLS lets everybody on the way read keys and code; put a TLS proxy in front and listen on 127.0.0.1, or say --insecure.`,
    );
  }
  return config;
}
