/**
 * One agent and everything that must outlive the worker daemon: its pipes, its process tree, its
 * spool, its requests and, while the daemon is away, its lease.
 *
 *     taken (lock) -> sockets up -> agent spawned -> state.json -> ... -> agent gone -> tree gone
 *       -> both spools complete and synced -> exit.json -> process ends
 *
 * I1. At most one supervisor ever runs per attempt directory (`supervisor.lock`, made exclusively).
 * I2. `exit.json` exists only when no byte will be added to the spools any more.
 * I3. Nothing of the agent's tree is left when `exit.json` says so.
 * Not done here: understanding output, talking to the control plane beyond the heartbeat.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bounded } from '../bounded.ts';
import { attemptPaths, type AttemptPaths } from '../spool/attempt-dir.ts';
import { writeFileAtomic } from '../spool/durable-file.ts';
import { answerAgent } from './agent-api.ts';
import { AgentStreams } from './agent-streams.ts';
import { answerDaemon } from './daemon-api.ts';
import { serveFiles, type FileRequests } from './file-requests.ts';
import { serveJson } from './http-json.ts';
import { renewLease } from './lease-keeper.ts';
import { Outbox } from './outbox.ts';
import { openPipes } from './pipes.ts';
import { endTree, findBorn, TREE_MARK } from './process-tree.ts';
import { redactLaunch, type ExitFile, type ExitReason, type Launch } from './records.ts';
import { socketPaths } from './socket-path.ts';
import { SpoolWriter, type SpoolBudget } from './spool-writer.ts';

/** How long pipes may stay open once the whole tree is gone; then somebody else holds them. */
const PIPES_CLOSE_MS_MAX = 2_000;
/** Once a second; without the record the attempt will be found lost, which is what it then is. */
const EXIT_TRIES_MAX = 60;
/** A fenced agent must be gone within 5 s, so its grace is shorter than that. */
const FENCED_GRACE_MS_MAX = 3_000;

/** What the daemon is told when the agent runs. */
export interface Started {
  readonly pid: number;
  readonly started_at: string;
  readonly daemon_socket: string;
  readonly agent_socket: string;
}

/** Takes an attempt directory for this process. False when somebody has taken it before. */
export function takeAttemptDir(dir: string): boolean {
  try {
    const fd = openSync(attemptPaths(dir).lock, 'wx', 0o600);
    writeSync(fd, JSON.stringify({ pid: process.pid, born: findBorn(process.pid) ?? '' }));
    closeSync(fd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Runs one agent from start to exit record. One instance lives as long as its process. */
export class Supervisor {
  readonly paths: AttemptPaths;
  readonly launch: Launch;
  readonly outbox: Outbox;
  readonly #sockets: { readonly daemon: string; readonly agent: string };
  readonly #servers: Server[] = [];
  #files: FileRequests | undefined;
  readonly #stdout: SpoolWriter;
  readonly #stderr: SpoolWriter;
  readonly #finished: Promise<void>;
  #finish: () => void = () => {};
  readonly #streams: AgentStreams;
  #child: ChildProcess | undefined;
  #born = '';
  #startedAt: string | null = null;
  #stop: { readonly reason: ExitReason; readonly detail: string } | undefined;
  #ending: Promise<void> | undefined;
  #exit: ExitFile | undefined;
  #daemonSeenMs = performance.now();
  #daemonCalls = 0;
  #renewing = false;
  #renewedMs = 0;

  /** `pipes`: made beforehand by a supervisor that waited; else they are made now. */
  constructor(dir: string, launch: Launch, pipes = openPipes()) {
    this.paths = attemptPaths(dir);
    this.launch = launch;
    this.#sockets = socketPaths(dir);
    const budget: SpoolBudget = { bytesLeft: launch.output_bytes_max };
    this.#stdout = new SpoolWriter(this.paths.stdout, budget);
    this.#stderr = new SpoolWriter(this.paths.stderr, budget);
    const writers = { stdout: this.#stdout, stderr: this.#stderr };
    this.#streams = new AgentStreams(pipes, launch.stdin, writers);
    this.outbox = new Outbox(this.paths.outbox, this.paths.answers);
    this.#finished = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Resolves when `exit.json` is written and the sockets are closed. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  get exit(): ExitFile | undefined {
    return this.#exit;
  }

  /** Opens the sockets and spawns the agent. Undefined when it never ran; then `exit` says why. */
  async start(): Promise<Started | undefined> {
    this.#servers.push(
      await serveJson(this.#sockets.daemon, (call) => answerDaemon(this, call)),
      await serveJson(this.#sockets.agent, (call) => answerAgent(this, call)),
    );
    const { requests_dir: requestsDir } = this.launch;
    if (requestsDir !== undefined) {
      this.#files = serveFiles(requestsDir, this.paths.fileAnswers, (call) =>
        answerAgent(this, call),
      );
    }
    if (this.#stop === undefined) await this.#spawn();
    this.#redactLaunchFile();
    const child = this.#child;
    if (child?.pid === undefined || this.#startedAt === null) {
      await this.#conclude(null, null, 0);
      return undefined;
    }
    const tickMs = Math.max(20, Math.min(1_000, this.launch.daemon_silent_ms / 3));
    const timer = setInterval(() => void this.#tick(), tickMs);
    void this.#finished.then(() => clearInterval(timer));
    return {
      pid: child.pid,
      started_at: this.#startedAt,
      daemon_socket: this.#sockets.daemon,
      agent_socket: this.#sockets.agent,
    };
  }

  /** What `GET /state` answers. */
  describe(): object {
    return {
      attempt_id: this.launch.identity.attempt_id,
      epoch: this.launch.identity.epoch,
      supervisor_pid: process.pid,
      pid: this.#child?.pid ?? null,
      started_at: this.#startedAt,
      stopping: this.#stop ?? null,
      stdout_bytes: this.#stdout.bytes,
      stderr_bytes: this.#stderr.bytes,
      stdin_bytes: this.#streams.stdinBytes,
      exit: this.#exit ?? null,
    };
  }

  /** Counts a call of the daemon; it is attached while one is open and for a while after. */
  async attached<Result>(call: () => Promise<Result>): Promise<Result> {
    this.#daemonCalls += 1;
    try {
      return await call();
    } finally {
      this.#daemonCalls -= 1;
      this.#daemonSeenMs = performance.now();
    }
  }

  get isDaemonAttached(): boolean {
    const silentMs = performance.now() - this.#daemonSeenMs;
    return this.#daemonCalls > 0 || silentMs < this.launch.daemon_silent_ms;
  }

  /** Ends the tree. The first reason stands; a second call only waits. */
  stop(reason: ExitReason, detail: string, graceMs = this.launch.grace_kill_ms): void {
    this.#stop ??= { reason, detail };
    if (this.#child?.pid === undefined) return;
    this.#ending ??= this.#endTree(graceMs).then(() => undefined);
  }

  /** See `AgentStreams.feed`. */
  feedStdin(offset: number, data: Buffer, end: boolean): number | undefined {
    return this.#streams.feed(offset, data, end);
  }

  /** A fault of the supervisor itself: noted, and the agent is ended rather than left unseen. */
  fail(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#note(text);
    this.stop('supervisor_failed', text.slice(0, 500));
  }

  #note(text: string): void {
    try {
      appendFileSync(this.paths.log, `${new Date().toISOString()} ${text}\n`, { mode: 0o600 });
    } catch {
      // A full disk must not keep the agent from being ended.
    }
  }

  /** The values of variables and the token leave the disk as early as they can. */
  #redactLaunchFile(): void {
    try {
      const text = JSON.stringify(redactLaunch(this.launch));
      writeFileAtomic(this.paths.launch, text, { sync: false });
    } catch (error) {
      rmSync(this.paths.launch, { force: true });
      this.#note(`launch.json: ${String(error)}`);
    }
  }

  async #spawn(): Promise<void> {
    const { launch } = this;
    const [command = '', ...args] = launch.argv;
    const env = {
      ...launch.env,
      [TREE_MARK]: launch.identity.attempt_id,
      ...(launch.requests_dir === undefined
        ? { BATON_SOCKET: this.#sockets.agent }
        : { BATON_REQUESTS: launch.requests_dir, BATON_ANSWERS: this.paths.fileAnswers }),
    };
    try {
      const stdio = this.#streams.open();
      const child = spawn(command, args, { cwd: launch.cwd, env, detached: true, stdio });
      this.#child = child;
      this.#streams.connect(child);
      await this.#watch(child);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // It runs but could not be noted down: better ended than unknown.
      if (this.#child?.pid !== undefined) return this.fail(error);
      this.#stop ??= { reason: 'spawn_failed', detail: `${code ?? 'error'}: ${message}` };
    }
  }

  /** Resolves when the agent runs; rejects when it could not be started. */
  async #watch(child: ChildProcess): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', resolve);
      if (child.pid !== undefined) resolve();
    });
    const pid = child.pid ?? 0;
    this.#born = findBorn(pid) ?? '';
    this.#startedAt = new Date().toISOString();
    child.once('exit', (code, signal) => {
      this.#stop ??= { reason: 'exited', detail: '' };
      this.#afterExit(code, signal).catch((error: unknown) => this.fail(error));
    });
    const { identity, run_timeout_ms: timeoutMs } = this.launch;
    writeFileAtomic(
      this.paths.state,
      JSON.stringify({
        attempt_id: identity.attempt_id,
        epoch: identity.epoch,
        supervisor_pid: process.pid,
        pid,
        pgid: pid,
        born: this.#born,
        started_at: this.#startedAt,
        daemon_socket: this.#sockets.daemon,
        agent_socket: this.#sockets.agent,
      }),
      { sync: false },
    );
    if (timeoutMs === undefined) return;
    const timer = setTimeout(
      () => this.stop('run_timeout', `ran longer than ${timeoutMs} ms`),
      Math.min(timeoutMs, 2 ** 31 - 1),
    );
    child.once('exit', () => clearTimeout(timer));
  }

  async #afterExit(code: number | null, signal: string | null): Promise<void> {
    // Also after an agent that ended by itself: what it left behind would go on unseen.
    await this.#ending;
    const leftovers = await this.#endTree(this.launch.grace_kill_ms);
    await bounded(this.#streams.drained(), PIPES_CLOSE_MS_MAX);
    this.#streams.destroy();
    await this.#conclude(code, signal, leftovers);
  }

  async #endTree(graceMs: number): Promise<number> {
    const leaderPid = this.#child?.pid;
    const { attempt_id: attemptId } = this.launch.identity;
    if (leaderPid === undefined) return 0;
    const query = { attemptId, leaderPid, leaderBorn: this.#born };
    const { ended, survivors } = await endTree(query, graceMs);
    if (survivors > 0) {
      this.#note(`${survivors} processes survived KILL`);
    }
    return ended;
  }

  async #conclude(
    code: number | null,
    signal: string | null,
    leftoversEnded: number,
  ): Promise<void> {
    for (const writer of [this.#stdout, this.#stderr]) {
      await writer.close().catch((error: unknown) => this.#note(String(error)));
    }
    this.#exit = {
      reason: this.#stop?.reason ?? 'supervisor_failed',
      detail: this.#stop?.detail ?? '',
      code,
      signal,
      started_at: this.#startedAt,
      at: new Date().toISOString(),
      stdout_bytes: this.#stdout.bytes,
      stderr_bytes: this.#stderr.bytes,
      dropped_bytes: this.#stdout.droppedBytes + this.#stderr.droppedBytes,
      leftovers_ended: leftoversEnded,
    };
    await this.#writeExit(this.#exit);
    this.#files?.close();
    this.outbox.wake();
    await this.#closeServers();
    this.outbox.close();
    this.#finish();
  }

  /** A full disk may have room again; a directory that was removed is not waited for. */
  async #writeExit(exit: ExitFile): Promise<void> {
    for (let tries = 0; tries < EXIT_TRIES_MAX; tries += 1) {
      try {
        writeFileAtomic(this.paths.exit, JSON.stringify(exit), { sync: true });
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
        this.#note(`exit.json: ${String(error)}`);
        await sleep(1_000);
      }
    }
  }

  /** Lets answers that are on their way out leave, but waits for nobody. */
  async #closeServers(): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const server of this.#servers) server.closeIdleConnections();
    await bounded(Promise.all(closed), 500);
    for (const server of this.#servers) server.closeAllConnections();
    rmSync(this.#sockets.daemon, { force: true });
    rmSync(this.#sockets.agent, { force: true });
  }

  /** Once a second: is somebody there? If not, keep the lease, and do not go on for ever. */
  async #tick(): Promise<void> {
    if (this.isDaemonAttached || this.#stop !== undefined) return;
    const aloneMs = performance.now() - this.#daemonSeenMs;
    if (aloneMs > this.launch.orphan_timeout_ms) {
      this.stop('orphaned', `no daemon for ${Math.round(aloneMs / 1000)} s`);
      return;
    }
    const sinceRenewedMs = performance.now() - this.#renewedMs;
    if (this.#renewing || sinceRenewedMs < this.launch.identity.heartbeat_ms) return;
    this.#renewing = true;
    try {
      const answer = await renewLease(this.launch.identity);
      // ±20 %, so that a fleet that lost its daemons at once does not beat in step.
      const jitterMs = this.launch.identity.heartbeat_ms * 0.4 * (Math.random() - 0.5);
      this.#renewedMs = performance.now() + jitterMs;
      const graceMs = Math.min(this.launch.grace_kill_ms, FENCED_GRACE_MS_MAX);
      if (answer === 'fenced') this.stop('fenced', 'the control plane refused the epoch', graceMs);
      if (answer === 'cancelled' || answer === 'yielded') this.stop('stopped', answer);
    } finally {
      this.#renewing = false;
    }
  }
}
