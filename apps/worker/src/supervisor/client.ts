import { appendFileSync, existsSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { attemptPaths } from '../spool/attempt-dir.ts';
import { writeFileAtomic, findJson } from '../spool/durable-file.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { readOutbox, type OutboxAnswer, type OutboxEntry } from './outbox.ts';
import { endTree, isProcessAlive } from './process-tree.ts';
import { findExit, findState, type ExitFile, type StateFile } from './records.ts';
import { socketPaths } from './socket-path.ts';
import { takeAttemptDir } from './attempt-lock.ts';

/** A request with its answer, if it has one. */
export type AnsweredEntry = OutboxEntry & { readonly answer?: OutboxAnswer };

/** What a supervisor says of itself. */
export interface SupervisorState {
  readonly attempt_id: string;
  readonly epoch: number;
  readonly supervisor_pid: number;
  readonly pid: number | null;
  readonly started_at: string | null;
  readonly stopping: { readonly reason: string; readonly detail: string } | null;
  readonly stdout_bytes: number;
  readonly stderr_bytes: number;
  readonly exit: ExitFile | null;
}

/**
 * A running supervisor as the daemon sees it. Every call rejects with the socket's error (ECONNREFUSED,
 * ENOENT, ECONNRESET) once the supervisor has ended: then ask `findSupervisor` again.
 */
export interface SupervisorClient {
  readonly attemptDir: string;
  state(): Promise<SupervisorState>;
  /** Says that the daemon lives; needed at least every 15 s while no `outbox` call is open. */
  attach(): Promise<SupervisorState>;
  /** Ends the agent's tree; returns at once. `graceMs` from TERM to KILL (default: the launch's). */
  stop(reason: string, graceMs?: number): Promise<SupervisorState>;
  /**
   * Requests after number `after`; waits up to `waitMs` for one. `exit` once the agent has ended; `stuck`
   * while it waits for room on the disk, told at once when it is not what `wasStuck` says.
   */
  outbox(
    after: number,
    waitMs: number,
    signal?: AbortSignal,
    wasStuck?: boolean,
  ): Promise<{
    readonly entries: readonly AnsweredEntry[];
    readonly exit: ExitFile | null;
    readonly stuck?: boolean;
  }>;
  answer(answers: readonly OutboxAnswer[]): Promise<void>;
  close(): void;
}

/** What became of the supervisor of an attempt. */
export type FoundSupervisor =
  | {
      readonly status: 'running';
      readonly client: SupervisorClient;
      readonly state: SupervisorState;
    }
  | { readonly status: 'exited'; readonly exit: ExitFile }
  /** Nothing ever ran, and from now on nothing can: the directory has been taken by this call. */
  | { readonly status: 'never_started' }
  /** The supervisor was killed. Its agent may live: `settleLost` ends it and closes the record. */
  | { readonly status: 'lost'; readonly state: StateFile | undefined };

const APPEAR_MS_MAX = 5_000;
/** A supervisor answers at once; one that does not is hanging or drowned. */
const ANSWER_MS_MAX = 10_000;

/** Connects to the supervisor of an attempt, or says what became of it. Takes up to 5 s when one is just starting. */
export async function findSupervisor(attemptDir: string): Promise<FoundSupervisor> {
  const untilMs = performance.now() + APPEAR_MS_MAX;
  for (;;) {
    const exit = findExit(attemptDir);
    if (exit !== undefined) return { status: 'exited', exit };
    const client = openSupervisorClient(attemptDir);
    try {
      return { status: 'running', client, state: await client.state() };
    } catch {
      client.close();
    }
    if (takeAttemptDir(attemptDir)) return { status: 'never_started' };
    if (!isLockHeld(attemptDir) || performance.now() > untilMs) {
      const late = findExit(attemptDir);
      if (late !== undefined) return { status: 'exited', exit: late };
      return { status: 'lost', state: findState(attemptDir) };
    }
    await delay(20);
  }
}

/**
 * Lets an attempt that never started be started after all, e.g. when it is delivered again after a crash
 * between claim and start. At most one supervisor will still have it. False when something has run.
 */
export function reopenAttemptDir(attemptDir: string): boolean {
  const paths = attemptPaths(attemptDir);
  if (existsSync(paths.stdout) || existsSync(paths.exit)) return false;
  rmSync(paths.lock, { force: true });
  return true;
}

/**
 * Closes the record of an attempt whose supervisor was killed (`lost`) or never ran
 * (`never_started`): ends what is left of the agent's tree, then writes `exit.json`.
 */
export async function settleLost(
  attemptDir: string,
  attemptId: string,
  graceMs: number,
): Promise<ExitFile> {
  const known = findExit(attemptDir);
  if (known !== undefined) return known;
  // One that hangs must not wake up later and go on writing.
  const holder = findHolder(attemptDir);
  if (holder !== undefined && holder.pid !== process.pid) await killProcess(holder);
  const state = findState(attemptDir);
  const leader = state === undefined ? {} : { leaderPid: state.pid, leaderBorn: state.born };
  const { ended } = await endTree({ attemptId, ...leader }, graceMs);
  const paths = attemptPaths(attemptDir);
  const exit: ExitFile = {
    reason: state === undefined && ended === 0 ? 'never_started' : 'lost',
    detail: 'the supervisor is gone',
    code: null,
    signal: null,
    started_at: state?.started_at ?? null,
    at: new Date().toISOString(),
    stdout_bytes: statSync(paths.stdout, { throwIfNoEntry: false })?.size ?? 0,
    stderr_bytes: statSync(paths.stderr, { throwIfNoEntry: false })?.size ?? 0,
    dropped_bytes: 0,
    leftovers_ended: ended,
  };
  writeFileAtomic(paths.exit, JSON.stringify(exit), { sync: true });
  const sockets = state ?? socketFiles(attemptDir);
  for (const path of [sockets.daemon_socket, sockets.agent_socket]) rmSync(path, { force: true });
  return exit;
}

function socketFiles(attemptDir: string): Pick<StateFile, 'daemon_socket' | 'agent_socket'> {
  const { daemon, agent } = socketPaths(attemptDir);
  return { daemon_socket: daemon, agent_socket: agent };
}

/** Requests of an attempt from its files; for one whose supervisor has ended. */
export function listOutbox(attemptDir: string): readonly AnsweredEntry[] {
  const paths = attemptPaths(attemptDir);
  return readOutbox(paths.outbox, paths.answers);
}

/** Notes an answer in the files of an attempt whose supervisor has ended. */
export function recordAnswer(attemptDir: string, answer: OutboxAnswer): void {
  appendFileSync(attemptPaths(attemptDir).answers, `${JSON.stringify(answer)}\n`, { mode: 0o600 });
}

/** A client of the supervisor's daemon socket; connects with the first call. */
export function openSupervisorClient(attemptDir: string): SupervisorClient {
  const socketPath = findState(attemptDir)?.daemon_socket ?? socketPaths(attemptDir).daemon;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const call = async <Reply>(
    method: string,
    path: string,
    body?: object,
    signal?: AbortSignal,
    waitMs = 0,
  ): Promise<Reply> => {
    const timeoutMs = waitMs + ANSWER_MS_MAX;
    return (await callJson({ socketPath, agent, method, path, body, signal, timeoutMs })) as Reply;
  };
  return {
    attemptDir,
    state: () => call('GET', '/state'),
    attach: () => call('POST', '/attach', {}),
    stop: (reason, graceMs) =>
      call('POST', '/stop', graceMs === undefined ? { reason } : { reason, grace_ms: graceMs }),
    outbox: (after, waitMs, signal, wasStuck = false) => {
      const query = `after=${after}&wait=${waitMs / 1000}${wasStuck ? '&stuck=1' : ''}`;
      return call('GET', `/outbox?${query}`, undefined, signal, waitMs);
    },
    answer: async (answers) => {
      await call('POST', '/answers', { answers });
    },
    close: () => agent.destroy(),
  };
}

interface SocketCall {
  readonly socketPath: string;
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

async function callJson(it: SocketCall): Promise<unknown> {
  const payload = it.body === undefined ? '' : JSON.stringify(it.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: it.socketPath,
        agent: it.agent,
        method: it.method,
        path: it.path,
        timeout: it.timeoutMs,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
        },
        ...(it.signal === undefined ? {} : { signal: it.signal }),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          if (response.statusCode !== undefined && response.statusCode < 300) {
            resolve(JSON.parse(text));
          } else {
            reject(new Error(`supervisor answered ${response.statusCode} to ${it.path}: ${text}`));
          }
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('the supervisor does not answer')));
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function isLockHeld(attemptDir: string): boolean {
  const holder = findHolder(attemptDir);
  // An empty lock is being written this very moment.
  return holder === undefined || isProcessAlive(holder);
}

/** The process that took the attempt; undefined while its lock is being written. */
function findHolder(
  attemptDir: string,
): { readonly pid: number; readonly born: string } | undefined {
  const lock = findJson(attemptPaths(attemptDir).lock) as
    | { pid?: number; born?: string }
    | undefined;
  return lock?.pid === undefined ? undefined : { pid: lock.pid, born: lock.born ?? '' };
}

async function killProcess(row: { readonly pid: number; readonly born: string }): Promise<void> {
  // Where births are unknown a number alone proves nothing.
  if (row.born === '' || !isProcessAlive(row)) return;
  process.kill(row.pid, 'SIGKILL');
  for (let tries = 0; tries < 100 && isProcessAlive(row); tries += 1) await delay(10);
}
