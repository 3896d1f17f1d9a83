/**
 * The documents that a supervisor reads and writes. Checked by hand, not by zod: a supervisor loads
 * nothing but Node itself, so that an idle one stays small and starts at once.
 */
import { findJson } from '../spool/durable-file.ts';
import { attemptPaths } from '../spool/attempt-dir.ts';

/** Where the agent's standard input comes from. */
export type LaunchStdin =
  | { readonly mode: 'none' }
  | { readonly mode: 'file'; readonly path: string };

/** Who the attempt is towards the control plane. `token` is its attempt token, never in argv. */
export interface LaunchIdentity {
  readonly attempt_id: string;
  readonly epoch: number;
  readonly token: string;
  readonly server_url: string;
  readonly heartbeat_ms: number;
}

/** Everything needed to run one agent process. `env` is complete: nothing is inherited. */
export interface Launch {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: LaunchStdin;
  readonly identity: LaunchIdentity;
  /** Where an agent without sockets puts its calls, as files; see `serveFiles`. Absent: it has the socket. */
  readonly requests_dir?: string;
  /** From TERM to KILL. */
  readonly grace_kill_ms: number;
  /** Absent: no limit. */
  readonly run_timeout_ms?: number;
  /** Without a daemon for this long the tree is ended and the spool kept. */
  readonly orphan_timeout_ms: number;
  /** Without a word from the daemon for this long the supervisor renews the lease itself. */
  readonly daemon_silent_ms: number;
  /** Of stdout and stderr together; what comes after is dropped, with a marker in the spool. */
  readonly output_bytes_max: number;
}

/** What a caller must say of a launch; the rest has defaults. */
export type LaunchInput = Pick<Launch, 'argv' | 'cwd' | 'env' | 'identity'> & Partial<Launch>;

const DEFAULT_LAUNCH = {
  stdin: { mode: 'none' },
  grace_kill_ms: 5_000,
  orphan_timeout_ms: 15 * 60_000,
  daemon_silent_ms: 15_000,
  output_bytes_max: 1024 ** 3,
} as const;

/** Fills in defaults. @throws TypeError naming the field when the document is not a launch. */
export function parseLaunch(value: unknown): Launch {
  const it = asRecord(value, 'launch');
  const identity = asRecord(it['identity'], 'identity');
  if (!Array.isArray(it['argv']) || it['argv'].length === 0) throw new TypeError('launch.argv');
  if (!it['argv'].every((arg) => typeof arg === 'string')) throw new TypeError('launch.argv');
  if (typeof it['cwd'] !== 'string') throw new TypeError('launch.cwd');
  const env = asRecord(it['env'], 'env');
  for (const [name, text] of Object.entries(env)) {
    if (typeof text !== 'string') throw new TypeError(`launch.env.${name}`);
  }
  for (const name of ['attempt_id', 'token', 'server_url']) {
    if (typeof identity[name] !== 'string') throw new TypeError(`launch.identity.${name}`);
  }
  for (const name of ['epoch', 'heartbeat_ms']) {
    if (typeof identity[name] !== 'number') throw new TypeError(`launch.identity.${name}`);
  }
  return { ...DEFAULT_LAUNCH, ...it } as unknown as Launch;
}

/** A launch as it stays on disk: names of variables without values, no token. */
export function redactLaunch(launch: Launch): object {
  const { token: _token, ...identity } = launch.identity;
  return { ...launch, env: Object.keys(launch.env).toSorted(), identity, redacted: true };
}

/** `state.json`: the agent was started. */
export interface StateFile {
  readonly attempt_id: string;
  readonly epoch: number;
  readonly supervisor_pid: number;
  /** The agent; also its process group and session. */
  readonly pid: number;
  readonly pgid: number;
  /** Tells the agent from a later process with its number; empty where the system does not say. */
  readonly born: string;
  readonly started_at: string;
  readonly daemon_socket: string;
  readonly agent_socket: string;
}

/** Why an agent is no longer running. */
export type ExitReason =
  | 'exited'
  | 'stopped'
  | 'run_timeout'
  | 'orphaned'
  | 'fenced'
  | 'spawn_failed'
  | 'supervisor_failed'
  | 'never_started'
  | 'lost';

/** `exit.json`: written last, after both spools are complete and synced. */
export interface ExitFile {
  readonly reason: ExitReason;
  /** What the one who stopped it said; or the fault for `spawn_failed`. */
  readonly detail: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly started_at: string | null;
  readonly at: string;
  readonly stdout_bytes: number;
  readonly stderr_bytes: number;
  readonly dropped_bytes: number;
  /** Processes that outlived the agent and were ended with it. */
  readonly leftovers_ended: number;
}

/** The exit record of an attempt; undefined while it runs (or when its supervisor was killed). */
export function findExit(attemptDir: string): ExitFile | undefined {
  const found = findJson(attemptPaths(attemptDir).exit);
  return typeof found === 'object' && found !== null && 'reason' in found
    ? (found as ExitFile)
    : undefined;
}

/** The start record of an attempt; undefined before the agent was started. */
export function findState(attemptDir: string): StateFile | undefined {
  const found = findJson(attemptPaths(attemptDir).state);
  return typeof found === 'object' && found !== null && 'supervisor_pid' in found
    ? (found as StateFile)
    : undefined;
}

function asRecord(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} is not an object`);
  }
  return value as Record<string, unknown>;
}
